// The streams of Figures 9 and 10: a service of serval, and the kernel's own sockets, which `mptcpize` makes MPTCP's.

import * as net from 'node:net';
import * as serval from '../../lib/index';

export const STREAM_TITLES = { serval: 'serval', mptcp: 'MPTCP', tcp: 'TCP' } as const;
export type StreamContender = keyof typeof STREAM_TITLES;

/** What stands before a program of the contender in its command. */
export function wrapperOf(contender: StreamContender): readonly string[] {
  return contender === 'mptcp' ? ['mptcpize', 'run'] : [];
}

/** Resolves when clients may come. */
export function listen(contender: StreamContender, connection: (socket: net.Socket) => void): Promise<void> {
  return new Promise((resolve) => {
    if (contender === 'serval') serval.createServer(connection).listen(SERVICE, resolve);
    else net.createServer(connection).listen(PORT, resolve);
  });
}

/** serval is told the service alone, the others where the server is. */
export function connect(contender: StreamContender, address: string): net.Socket {
  return contender === 'serval' ? serval.connect(SERVICE) : net.connect({ host: address, port: PORT });
}

const SERVICE = 'figures/stream';
const PORT = 7878;
