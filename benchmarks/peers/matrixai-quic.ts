// @matrixai/quic: QUIC by quiche, in Rust, with streams of the web's kind. The certificate is one of this run, made by
// openssl; the client does not look at it.

import { spawnSync } from 'node:child_process';
import { createHmac, randomBytes, randomFillSync, timingSafeEqual } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReadableStream, WritableStream } from 'node:stream/web';
import { loadPackage } from '../measuring/packages';
import type { ConnectionEvents, Peer, PeerConnection } from './peer';

let quic: Quic;
let logger: object;
/** All connections of a client share it. */
let socket: Promise<QuicSocket> | undefined;

export const matrixaiQuic: Peer = {
  isEncrypted: true,
  prepare: async () => {
    quic = await loadPackage<Quic>('@matrixai/quic');
    const { default: Logger, LogLevel } = await loadPackage<LoggerModule>('@matrixai/logger');
    logger = new Logger('bench', LogLevel.SILENT);
  },
  serve: async (address, accept, listening) => {
    const crypto = { key: arrayBufferOf(randomBytes(32)), ops: { sign, verify } };
    const config = { ...makeCertificate(), verifyPeer: false, ...CONFIG };
    const server = new quic.QUICServer({ crypto, config, logger });
    const { EventQUICServerConnection, EventQUICConnectionStream } = quic.events;
    server.addEventListener(EventQUICServerConnection.name, ({ detail: connection }) => {
      connection.addEventListener(EventQUICConnectionStream.name, ({ detail: stream }) => {
        const events = accept(new WebConnection(stream.writable, () => connection.stop({ force: true })));
        read(stream.readable, events).catch(() => {});
      });
    });
    await server.start({ host: address, port: 0 });
    listening(`${address}:${server.port}`, 'udp');
  },
  connect: async (target, _lane, events) => {
    const [host, port] = target.split(':') as [string, string];
    socket ??= openSocket(host);
    const config = { verifyPeer: false, ...CONFIG };
    const crypto = { ops: { randomBytes: fillRandom } };
    const options = { host, port: Number(port), socket: await socket, crypto, config, logger };
    const client = await quic.QUICClient.createQUICClient(options);
    const { readable, writable } = client.connection.newStream();
    const connection = new WebConnection(writable, () => client.destroy({ force: true }));
    connection.listen(events);
    read(readable, events).catch(() => {});
    return connection;
  },
};

/** Writes as a writer of the web does: what it asks to wait for is `ready`. */
class WebConnection implements PeerConnection {
  private readonly writer;
  private drained = (): void => {};

  constructor(
    writable: WritableStream<Uint8Array>,
    readonly close: () => Promise<void>,
  ) {
    this.writer = writable.getWriter();
    this.writer.closed.catch(() => {});
  }

  listen({ drained }: ConnectionEvents): void {
    this.drained = drained;
  }

  write(chunk: Uint8Array): boolean {
    this.writer.write(chunk).catch(() => {});
    if (this.writer.desiredSize! > 0) return true;
    this.writer.ready.then(this.drained, () => {});
    return false;
  }

  end(): void {
    this.writer.close().catch(() => {});
  }
}

async function read(readable: ReadableStream<Uint8Array>, events: ConnectionEvents): Promise<void> {
  for await (const chunk of readable) events.received(chunk);
}

async function openSocket(host: string): Promise<QuicSocket> {
  const opened = new quic.QUICSocket({ logger });
  await opened.start({ host });
  return opened;
}

function makeCertificate(): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'serval-bench-'));
  try {
    const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const files = ['-keyout', key, '-out', cert, '-days', '1', '-subj', '/CN=localhost'];
    const { status } = spawnSync('openssl', ['req', '-x509', ...curve, ...files], { stdio: 'ignore' });
    if (status !== 0) throw new Error('its certificate needs the command openssl');
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// What it leaves to its user: the tokens that a server gives new clients are signed.

async function sign(key: ArrayBuffer, data: ArrayBuffer): Promise<ArrayBuffer> {
  return arrayBufferOf(createHmac('sha256', Buffer.from(key)).update(Buffer.from(data)).digest());
}

async function verify(key: ArrayBuffer, data: ArrayBuffer, signature: ArrayBuffer): Promise<boolean> {
  return timingSafeEqual(Buffer.from(await sign(key, data)), Buffer.from(signature));
}

async function fillRandom(data: ArrayBuffer): Promise<void> {
  randomFillSync(new Uint8Array(data));
}

function arrayBufferOf(bytes: Buffer): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

/** By default it hands on 4 KB at a time. */
const CONFIG = { readableChunkSize: 65_536 };

interface Quic {
  readonly QUICServer: new (options: object) => QuicServer;
  readonly QUICSocket: new (options: object) => QuicSocket;
  readonly QUICClient: { createQUICClient(options: object): PromiseLike<QuicClient> };
  readonly events: Readonly<
    Record<'EventQUICServerConnection' | 'EventQUICConnectionStream', { readonly name: string }>
  >;
}

interface QuicServer {
  readonly port: number;
  start(at: { readonly host: string; readonly port: number }): Promise<void>;
  addEventListener(name: string, listener: (event: { readonly detail: QuicConnection }) => void): void;
}

interface QuicConnection {
  newStream(): QuicStream;
  stop(options: { readonly force: boolean }): Promise<void>;
  addEventListener(name: string, listener: (event: { readonly detail: QuicStream }) => void): void;
}

interface QuicClient {
  readonly connection: QuicConnection;
  destroy(options: { readonly force: boolean }): Promise<void>;
}

interface QuicStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

interface QuicSocket {
  start(at: { readonly host: string }): Promise<void>;
}

interface LoggerModule {
  readonly default: new (name: string, level: number) => object;
  readonly LogLevel: { readonly SILENT: number };
}
