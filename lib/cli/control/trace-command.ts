// `serval trace NAME`: the way of one first packet, hop by hop, from this process to the instance that answers, and how
// far each of them is.

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
  /** Milliseconds to it and back; null for the client itself, and for a router that does not answer. */
  readonly roundTripTime: number | null;
  /** Of a process of this user on this host. */
  readonly pid: number | null;
}

async function trace(host: Host, service: string, options: ProbeOptions): Promise<void> {
  const answer = await host.trace(serviceID(service), pingOptions(options));
  const { roundTripTime, attempts } = answer;
  const pids = await pidsByPort();
  const pidOf = (text: string): number | null => (isHere(text) ? (pids.get(portOf(text)) ?? null) : null);
  const places = [
    ...answer.hops.map((hop) => ({ kind: 'router', ...hop }) as const),
    { kind: 'instance', address: answer.address, roundTripTime } as const,
  ];
  const hops: Hop[] = [
    { hop: 0, kind: 'client', address: `port ${host.port}`, roundTripTime: null, pid: process.pid },
    ...places.map(({ kind, ...place }, index): Hop => {
      const address = String(place.address);
      return { hop: index + 1, kind, address, roundTripTime: place.roundTripTime, pid: pidOf(address) };
    }),
  ];
  if (options.json) return say(`${JSON.stringify({ service, roundTripTime, attempts, hops })}\n`);
  const width = Math.max(...hops.map((hop) => hop.address.length));
  for (const hop of hops) await say(`${line(hop, width)}\n`);
  const again = attempts === 1 ? '' : `, after ${attempts} attempts`;
  await say(`round trip ${millisecondsText(roundTripTime)}${again}\n`);
}

function line({ hop, kind, address, roundTripTime, pid }: Hop, width: number): string {
  const time = kind === 'client' ? '' : roundTripTime === null ? '*' : millisecondsText(roundTripTime);
  const process = pid === null ? '' : `  pid ${pid}`;
  const place = picocolors.bold(address.padEnd(width));
  return `${String(hop).padStart(2)}  ${kind.padEnd(8)}  ${place}  ${time.padStart(TIME_WIDTH)}${process}`.trimEnd();
}

/** 99.9 ms, 1234 ms */
const TIME_WIDTH = 7;

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
