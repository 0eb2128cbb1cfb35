// `serval trace NAME`: the way of one first packet, hop by hop, from this process to the instance that answers.

import { Command } from 'commander';
import picocolors from 'picocolors';
import { type Host, serviceID } from '../../index';
import { millisecondsText } from './cells';
import { reporting } from './command-error';
import { type ProbeOptions, pingOptions, withHost, withProbeOptions } from './ping-options';
import { lookAround } from './process-selection';
import { say } from './rows';

export function traceCommand(): Command {
  return withProbeOptions(new Command('trace'))
    .description('which way a first packet goes to an instance of a service')
    .action((service: string, options: ProbeOptions) =>
      reporting('trace', options.json, () => withHost((host) => trace(host, service, options))),
    );
}

interface Hop {
  readonly hop: number;
  readonly kind: 'client' | 'router' | 'instance';
  readonly address: string;
  /** Of a process of this user on this host. */
  readonly pid: number | null;
}

async function trace(host: Host, service: string, options: ProbeOptions): Promise<void> {
  const { roundTripTime, address, routers, attempts } = await host.ping(serviceID(service), pingOptions(options));
  const pids = await pidsByPort();
  const pidOf = (text: string): number | null => (isHere(text) ? (pids.get(portOf(text)) ?? null) : null);
  const hops: Hop[] = [
    { hop: 0, kind: 'client', address: `port ${host.port}`, pid: process.pid },
    ...[...routers, address].map((each, index): Hop => {
      const kind = index < routers.length ? 'router' : 'instance';
      return { hop: index + 1, kind, address: String(each), pid: pidOf(String(each)) };
    }),
  ];
  if (options.json) return say(`${JSON.stringify({ service, roundTripTime, attempts, hops })}\n`);
  const width = Math.max(...hops.map((hop) => hop.address.length));
  for (const { hop, kind, address: place, pid } of hops) {
    const process = pid === null ? '' : `  pid ${pid}`;
    await say(
      `${String(hop).padStart(2)}  ${kind.padEnd(8)}  ${picocolors.bold(place.padEnd(width))}${process}`.trimEnd(),
    );
    await say('\n');
  }
  const again = attempts === 1 ? '' : `, after ${attempts} attempts`;
  await say(`round trip ${millisecondsText(roundTripTime)}${again}\n`);
}

/** The ports of this user's processes; first packets come to the holder's well-known one. */
async function pidsByPort(): Promise<ReadonlyMap<number, number>> {
  const { processes } = await lookAround({});
  const pids = new Map<number, number>();
  for (const { pid, host } of processes) {
    pids.set(Number(host['port']), pid);
    if (host['role'] === 'holder') pids.set(Number(host['wellKnownPort']), pid);
  }
  return pids;
}

function isHere(address: string): boolean {
  return address.startsWith('127.') || address.startsWith('[::1]');
}

function portOf(address: string): number {
  return Number(/:(\d+)$/.exec(address)?.[1] ?? 0);
}
