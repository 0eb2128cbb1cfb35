// One measurement: two fresh processes, traffic between them, and what both had counted at two marks.

import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Mark } from './measured-program';
import type { End, MeasuredPath } from './paths';
import { type Launch, Program } from './program';

export interface TwoEnds extends Readonly<Record<End, Launch>> {
  readonly path: MeasuredPath;
  /** What is measured: traffic for so many seconds, or what open connections cost that nobody uses. */
  readonly during: { readonly seconds: number } | 'idling';
}

/** What both ends had counted when the measured time began and when it ended. */
export interface Observation {
  readonly carrier: string;
  readonly server: { readonly before: Mark; readonly after: Mark };
  readonly client: { readonly before: Mark; readonly after: Mark };
  /** Bytes that the kernel held for all programs of the machine. */
  readonly kernel: { readonly before: number; readonly after: number };
}

export async function observe({ path, during, ...launches }: TwoEnds): Promise<Observation> {
  const server = new Program('server', path, launches.server);
  let client: Program | undefined;
  try {
    const { target, carrier } = await server.next('listening');
    // What idle connections cost a server is counted from before its first one.
    if (during === 'idling') await pause(SETTLE);
    const idle = during === 'idling' ? { server: await server.mark(), kernel: kernelMemory() } : undefined;
    client = new Program('client', path, withTarget(launches.client, target));
    await client.next('running');
    if (during === 'idling') await pause(SETTLE);
    const [clientBefore, serverBefore] = await Promise.all([client.mark(), idle?.server ?? server.mark()]);
    const kernelBefore = idle?.kernel ?? kernelMemory();
    if (during !== 'idling') await pause(during.seconds * 1000);
    const [clientAfter, serverAfter] = await Promise.all([client.mark(), server.mark()]);
    return {
      carrier,
      server: { before: serverBefore, after: serverAfter },
      client: { before: clientBefore, after: clientAfter },
      kernel: { before: kernelBefore, after: kernelMemory() },
    };
  } finally {
    await client?.end();
    await server.end();
  }
}

/** An untimed transfer of which both ends compare the SHA-256; throws where they differ. */
export async function verify({ path, ...launches }: Omit<TwoEnds, 'during'>): Promise<void> {
  const server = new Program('server', path, launches.server);
  let client: Program | undefined;
  try {
    const { target } = await server.next('listening');
    client = new Program('client', path, withTarget(launches.client, target));
    await client.next('verified');
  } finally {
    await client?.end();
    await server.end();
  }
}

/** The client is told as `target` what the server said that it can be reached at. */
function withTarget(launch: Launch, target: string): Launch {
  return { ...launch, task: { ...launch.task, target } };
}

/** Objects of the kernel, those of sockets among them; no page of a program is in it. 0 where it cannot be asked. */
function kernelMemory(): number {
  try {
    return Number(/^Slab: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Milliseconds for what is left of the start, or of ten thousand handshakes, to be over. */
const SETTLE = 500;
