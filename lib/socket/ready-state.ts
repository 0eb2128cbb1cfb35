// `readyState` of a stream socket, as `net.Socket` words it.

import type { Duplex } from 'node:stream';

export function readyStateOf(
  socket: Duplex & { readonly connecting: boolean },
): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
  if (socket.connecting) return 'opening';
  if (socket.readable) return socket.writable ? 'open' : 'readOnly';
  return socket.writable ? 'writeOnly' : 'closed';
}
