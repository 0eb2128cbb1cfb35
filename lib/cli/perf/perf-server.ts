// The server of perf tests: listens to a service's name for the control exchange, and to a serviceID of its own for
// what the tests carry, so that a test stays with the instance that answered. Everything a client can make it
// keep or do has a bound.

import { randomBytes } from 'node:crypto';
import {
  contentServiceID,
  createServer,
  createSocket,
  type DatagramSocket,
  type Host,
  type RemoteInfo,
  type Server,
  type ServiceID,
  ServicePrefix,
  type Socket,
  serviceID,
} from '../../index';
import { ControlChannel } from './control-channel';
import { hasToken, kindOf, testNumberOf } from './datagram-format';
import { within } from './deadline';
import type { EndReport } from './end-report';
import { exchangeResults } from './exchange';
import { PERF_PROTOCOL_VERSION } from './messages';
import { describeError, type ErrorDescription, PerfError, PerfErrorCode } from './perf-error';
import { PERF_PENDING_MAXIMUM, PERF_SETUP_TIMEOUT, PERF_TESTS_MAXIMUM } from './perf-limits';
import { RunningTest } from './running-test';
import { ServerTest } from './server-test';
import { PREAMBLE_BYTES, parsePreamble } from './stream-preamble';
import { checkParameters, type TestParameters } from './test-parameters';

export interface ServerObserver {
  started(number: number, parameters: TestParameters, peer: Socket): void;
  ended(number: number, parameters: TestParameters, own: EndReport, other: EndReport): void;
  /** Without a number: it did not come to a test. */
  failed(number: number | undefined, error: ErrorDescription): void;
}

interface Session {
  readonly test: ServerTest;
  readonly channel: ControlChannel;
  running?: RunningTest;
}

export class PerfServer {
  readonly instance: ServiceID;
  private readonly control: Server;
  private readonly data: Server;
  private readonly datagrams: DatagramSocket;
  private readonly sessions = new Map<number, Session>();
  private readonly sockets = new Set<Socket>();
  private readonly ends = new Set<Promise<void>>();
  private pending = 0;
  private lastNumber = 0;

  constructor(
    host: Host,
    private readonly service: string,
    private readonly observer: ServerObserver,
  ) {
    this.instance = contentServiceID(ServicePrefix.of(serviceID(service), INSTANCE_BITS), randomBytes(32));
    this.control = createServer({ host, noDelay: true }, (socket) => this.accept(socket, () => this.serve(socket)));
    this.data = createServer({ host, allowHalfOpen: true }, (socket) => this.accept(socket, () => this.admit(socket)));
    this.datagrams = createSocket({ host }, (bytes, source) => this.handleDatagram(bytes, source));
  }

  /** Resolves when it can be reached; rejects with EADDRINUSE and the like. */
  async listen(): Promise<void> {
    await Promise.all([
      new Promise<void>((resolve, reject) => {
        this.data.once('error', reject).listen(this.instance, resolve);
      }),
      new Promise<void>((resolve, reject) => {
        this.datagrams.once('error', reject).bind(this.instance, resolve);
      }),
    ]);
    this.data.on('error', () => {});
    this.datagrams.on('error', () => {});
    await new Promise<void>((resolve, reject) => {
      this.control.once('error', reject).listen(this.service, resolve);
    });
  }

  /** Ends the tests early, and everything when they have reported or `grace` milliseconds have passed. */
  async close(grace: number): Promise<void> {
    this.control.close();
    for (const { running, channel } of this.sessions.values()) {
      channel.send({ type: 'stop' });
      running?.interrupt();
    }
    await within(grace, 'ending', Promise.all(this.ends)).catch(() => {});
    for (const socket of this.sockets) socket.destroy();
    this.data.close();
    this.datagrams.close();
  }

  // ---- what comes in ----

  private accept(socket: Socket, serve: () => void): void {
    if (this.pending >= PERF_PENDING_MAXIMUM) {
      socket.destroy();
      return;
    }
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    serve();
  }

  /** A connection that has to say which stream of which test it is. */
  private admit(socket: Socket): void {
    this.pending++;
    const timer = setTimeout(() => socket.destroy(), PERF_SETUP_TIMEOUT);
    const leave = (): void => {
      this.pending--;
      clearTimeout(timer);
      socket.off('readable', read);
      socket.off('close', leave);
    };
    const read = (): void => {
      const bytes = socket.read(PREAMBLE_BYTES) as Buffer | null;
      if (bytes === null) return;
      leave();
      const preamble = bytes.length === PREAMBLE_BYTES ? parsePreamble(bytes) : undefined;
      const test = preamble === undefined ? undefined : this.sessions.get(preamble.token.number)?.test;
      const isKnown = preamble !== undefined && test?.token.equals(preamble.token) === true;
      if (!isKnown || !test?.attachStream(preamble.index, socket)) socket.destroy();
    };
    socket.on('close', leave);
    socket.on('readable', read);
  }

  /** Only of senders that are connected to us: their serviceID is zero. What shows where they are is the challenge. */
  private handleDatagram(bytes: Buffer, source: RemoteInfo): void {
    const kind = kindOf(bytes);
    if (kind === undefined || !source.serviceID.isZero) return;
    const test = this.sessions.get(testNumberOf(bytes))?.test;
    if (test !== undefined && hasToken(bytes, test.token)) test.handleDatagram(kind, bytes, source);
  }

  // ---- a test ----

  private serve(socket: Socket): void {
    const channel = new ControlChannel(socket);
    const end = this.serveControl(socket, channel).finally(() => {
      this.ends.delete(end);
      channel.end();
      socket.destroySoon();
    });
    this.ends.add(end);
  }

  private async serveControl(socket: Socket, channel: ControlChannel): Promise<void> {
    let session: Session | undefined;
    try {
      const parameters = await this.request(channel);
      session = this.begin(parameters, channel);
      this.observer.started(session.test.token.number, parameters, socket);
      await this.carryOut(session);
    } catch (error) {
      const description = describeError(error);
      channel.send({ type: 'error', ...description });
      this.observer.failed(session?.test.token.number, description);
    } finally {
      if (session !== undefined) this.sessions.delete(session.test.token.number);
      session?.running?.abort();
      session?.test.abort();
    }
  }

  private async request(channel: ControlChannel): Promise<TestParameters> {
    this.pending++;
    try {
      const request = await within(PERF_SETUP_TIMEOUT, 'the request', channel.expect('request'));
      return checkParameters(request.parameters);
    } finally {
      this.pending--;
    }
  }

  private begin(parameters: TestParameters, channel: ControlChannel): Session {
    if (this.sessions.size >= PERF_TESTS_MAXIMUM) {
      throw new PerfError(PerfErrorCode.busy, `the server carries out ${PERF_TESTS_MAXIMUM} tests already`);
    }
    const number = ++this.lastNumber;
    const session = { test: new ServerTest(number, parameters, this.datagrams), channel };
    this.sessions.set(number, session);
    return session;
  }

  private async carryOut(session: Session): Promise<void> {
    const { test, channel } = session;
    const { instance } = this;
    const token = test.token.toString();
    channel.send({ type: 'accepted', version: PERF_PROTOCOL_VERSION, token, instance: instance.toString() });
    const attached = Promise.race([test.attached(), channel.broken]);
    const lanes = await within(PERF_SETUP_TIMEOUT, 'opening the streams', attached);
    const running = new RunningTest(lanes, test.parameters.seconds);
    session.running = running;
    channel.send({ type: 'running' });
    running.start();
    const other = await exchangeResults(channel, running, test.parameters);
    this.observer.ended(test.token.number, test.parameters, running.report(), other);
    // The client ends the exchange when it has our results.
    await within(PERF_SETUP_TIMEOUT, 'the end', channel.receive()).catch(() => {});
  }
}

/** The last block of a serviceID is the instance's own: routes to names above it lead here, too. */
const INSTANCE_BITS = 192;
