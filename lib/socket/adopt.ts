// `adopt`: a socket for a connection that another process has left (§4.4, beyond the paper).

import { SILENT_OBSERVER } from '../driver/handles';
import { checkSocketOptions, hostOf, type SocketOptions } from './connect-options';
import { parseHandoff } from './handoff-format';
import { operationError } from './operation-error';
import { StreamSocket } from './stream-socket';

/**
 * A socket for a connection that `handoff()` has left, in this process or another. It is connected; what was not read
 * there comes first, and the peer hears where the connection is now: 'migrate' tells that it has. Rejects with a TypeError
 * for bytes that are no connection's, and with EADDRINUSE when the host has this connection already.
 */
export async function adopt(state: Uint8Array, options: SocketOptions = {}): Promise<StreamSocket> {
  checkSocketOptions(options);
  const { connection, unread } = parseHandoff(state);
  const host = hostOf(options);
  if (host.adopt === undefined) throw new TypeError('this host adopts no connections');
  // The connection needs a link to go on by.
  await host.ready;
  try {
    const handle = host.adopt(connection, SILENT_OBSERVER);
    const socket = StreamSocket.accept(handle, { ...options, pauseOnConnect: false });
    // What comes by the handle comes later than this.
    if (unread.length > 0) socket.push(unread);
    return socket;
  } catch (error) {
    throw operationError(error, 'adopt', undefined);
  }
}
