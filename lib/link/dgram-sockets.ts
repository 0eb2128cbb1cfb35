// Binds the two UDP sockets of a link, one a family, to the same port. A host without one of the families
// gets by with the other.

import { createSocket, type Socket } from 'node:dgram';
import { withCode } from '../errors';
import type { AddressFamily } from '../wire/network-address';
import { linkError } from './link-error';

export interface DgramSockets {
  readonly port: number;
  readonly v4: Socket | undefined;
  readonly v6: Socket | undefined;
}

/** `port` 0 takes any that is free in both families. */
export async function bindDgramSockets(port: number): Promise<DgramSockets> {
  for (let attempt = 1; ; attempt++) {
    const v4 = await bindIfSupported(4, port);
    const chosen = v4?.address().port ?? port;
    try {
      const v6 = await bindIfSupported(6, chosen);
      if (v4 === undefined && v6 === undefined) throw linkError(noFamily(), 'open a UDP socket');
      return { port: v6?.address().port ?? chosen, v4, v6 };
    } catch (error) {
      v4?.close();
      // Somebody has the port in the other family: any port will do, so take the next.
      if (port !== 0 || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

const PORT_ATTEMPTS = 8;

async function bindIfSupported(family: AddressFamily, port: number): Promise<Socket | undefined> {
  try {
    return await bind(family, port);
  } catch (error) {
    if (NOT_SUPPORTED.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw linkError(error as NodeJS.ErrnoException, `bind UDP port ${port} of IPv${family}`, port);
  }
}

/** How systems say that they have no such family, or have it switched off. */
const NOT_SUPPORTED = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT', 'EINVAL']);

function bind(family: AddressFamily, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type: family === 4 ? 'udp4' : 'udp6',
      ipv6Only: family === 6,
      // Every destination is a literal: looking it up would defer each packet by a turn.
      lookup: (hostname, _options, callback) => callback(null, hostname, family),
    });
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    // Exclusive: in a cluster each worker is a process of its own, with its own port.
    socket.bind({ port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      socket.removeAllListeners('listening');
      enlargeBuffers(socket);
      if (family === 4) socket.setBroadcast(true);
      resolve(socket);
    });
  });
}

/** One packet a system call drains slowly: bursts wait in the kernel, as far as its limits allow. */
function enlargeBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(KERNEL_BUFFER_BYTES);
    socket.setSendBufferSize(KERNEL_BUFFER_BYTES);
  } catch {
    // Some systems refuse instead of giving less: their default does, too.
  }
}

const KERNEL_BUFFER_BYTES = 4 * 1024 * 1024;

function noFamily(): NodeJS.ErrnoException {
  return withCode(new Error('neither IPv4 nor IPv6 is there'), 'EAFNOSUPPORT');
}
