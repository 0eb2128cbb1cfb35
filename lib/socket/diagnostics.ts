// Channels of `node:diagnostics_channel` in the style of Node's own `net.client.socket`: a tracer subscribes, and
// nobody pays who does not.

import { channel } from 'node:diagnostics_channel';

/** `{ socket }` of every StreamSocket that `connect` makes. */
export const clientSocketChannel = channel('serval.client.socket');
/** `{ socket }` of every StreamSocket that a server accepts. */
export const serverSocketChannel = channel('serval.server.socket');
/** `{ socket }` of every DatagramSocket. */
export const datagramSocketChannel = channel('serval.datagram.socket');
