// `socket.handoff()`: an open connection leaves as bytes, to go on in another process (§4.4, beyond the paper). What the
// bytes are stands in handoff-format.ts, and how a socket is made of them in adopt.ts.

import type { Duplex } from 'node:stream';
import type { HandedOver, StreamHandle } from '../driver/handles';
import { ErrorCode } from '../errors';
import { formatHandoff } from './handoff-format';
import { type FailedService, namedError } from './operation-error';
import type { WriteCallback } from './pending-write';
import type { WriteSide } from './write-side';

/** `StreamSocket.handoff`. */
export async function handOff(
  socket: Duplex & { readonly connecting: boolean },
  handle: StreamHandle | undefined,
  writing: WriteSide | undefined,
  service: FailedService | undefined,
): Promise<Buffer> {
  const refused = namedError(ErrorCode.notConnected, 'handoff', service);
  if (socket.connecting || !socket.readable || !socket.writable || handle?.handOver === undefined) throw refused;
  const later = [...(writing?.takeRest() ?? [])];
  // What the application writes from now on, and what waits in the stream, leaves from the other process.
  redirect(socket, later);
  while (socket.writableLength > 0 && !socket.destroyed) await new Promise((resolve) => setImmediate(resolve));
  handle.stopReading();
  const left = socket.destroyed ? undefined : handle.handOver();
  if (left === undefined) {
    socket.destroy(refused);
    throw refused;
  }
  const unread = Buffer.concat([...readRest(socket), left.unread]);
  socket.destroy();
  return formatHandoff(withWritten({ ...left, unread }, later));
}

/** `StreamServer.handoff`. A connection that ends before its turn is none to leave. */
export async function handOffAll(
  sockets: readonly { handoff(): Promise<Buffer> }[],
  send: (state: Buffer) => unknown,
): Promise<number> {
  const sent = sockets.map(async (socket) => {
    const state = await socket.handoff().catch(() => undefined);
    if (state !== undefined) await send(state);
    return state === undefined ? 0 : 1;
  });
  return (await Promise.all(sent)).reduce<number>((sum, count) => sum + count, 0);
}

function redirect(socket: Duplex, later: Uint8Array[]): void {
  socket._write = (chunk: Uint8Array, _encoding: BufferEncoding, callback: WriteCallback): void => {
    later.push(chunk);
    callback();
  };
  socket._writev = (entries: { chunk: Uint8Array }[], callback: WriteCallback): void => {
    for (const { chunk } of entries) later.push(chunk);
    callback();
  };
}

/** What the stream holds and the application has not taken: nobody here hears of it any more. */
function readRest(socket: Duplex): Buffer[] {
  for (const event of ['data', 'readable']) socket.removeAllListeners(event);
  const chunks: Buffer[] = [];
  for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read()) chunks.push(chunk);
  return chunks;
}

function withWritten({ connection, unread }: HandedOver, later: readonly Uint8Array[]): HandedOver {
  const { stream } = connection;
  const unacknowledged = Buffer.concat([stream.unacknowledged, ...later]);
  return { connection: { ...connection, stream: { ...stream, unacknowledged } }, unread };
}
