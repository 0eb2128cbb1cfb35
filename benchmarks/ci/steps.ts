// What the reduced run measures.

export interface Step {
  readonly benchmark: string;
  readonly arguments: readonly string[];
  /** Those whose medians are steady even when they are of three short pairs; p99 is not. */
  readonly rows: readonly string[];
}

export const steps: readonly Step[] = [
  {
    benchmark: 'stream',
    arguments: ['--measure', 'throughput', '--path', 'veth'],
    rows: ['throughput', 'CPU of both ends'],
  },
  { benchmark: 'stream', arguments: ['--measure', 'round-trip'], rows: ['64 B round trip, p50'] },
  { benchmark: 'stream', arguments: ['--measure', 'connections'], rows: ['connect, 64 B and back, close'] },
  { benchmark: 'stream', arguments: ['--measure', 'messages'], rows: ['64 B messages over 256 connections'] },
  { benchmark: 'datagram', arguments: [], rows: ['datagrams of 1200 B received'] },
];
