// What `serval ping` and `serval trace` have in common: a host of their own, which asks as any program does.

import type { Command } from 'commander';
import { createHost, type Host, type PingOptions } from '../../index';
import { WELL_KNOWN_PORT } from '../../limits';
import { NetworkAddress } from '../../wire/network-address';
import { CommandError } from './command-error';
import { secondsWithin } from './option-values';

export interface ProbeOptions {
  readonly timeout: number;
  readonly via?: string;
  readonly datagram?: boolean;
  readonly json?: boolean;
}

export function withProbeOptions(command: Command): Command {
  return command
    .argument('<service>', 'the name to ask for')
    .option('--timeout <seconds>', 'how long to wait for an answer', secondsWithin(0.001, 3600), 2)
    .option('--via <address>', 'ask there, whatever the service table says: ADDRESS or ADDRESS:PORT')
    .option('--datagram', 'ask for a datagram socket instead of a stream server')
    .option('--json', 'print JSON, one object a line');
}

export function pingOptions({ timeout, via, datagram }: ProbeOptions): PingOptions {
  return {
    timeout: timeout * 1000,
    transport: datagram ? 'datagram' : 'stream',
    ...(via === undefined ? undefined : { via: [addressOf(via)] }),
  };
}

/** The control interface is of no use for a process that asks and ends. */
export async function withHost(action: (host: Host) => Promise<void>): Promise<void> {
  const host = createHost({ control: false });
  try {
    await host.ready;
    await action(host);
  } finally {
    await host.close();
  }
}

function addressOf(text: string): NetworkAddress {
  const port = Number(process.env['SERVAL_PORT'] || WELL_KNOWN_PORT);
  const address = NetworkAddress.parseEndpoint(text, port);
  if (address !== undefined) return address;
  throw new CommandError('ERR_INVALID_ARG_VALUE', `--via must be ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT, not ${text}`);
}
