// The client's half of opening a test's streams: connections to the instance that accepted the test, each of which
// says which stream it is.

import { once } from 'node:events';
import { createSocket, type DatagramSocket, type Host, promises, type ServiceID } from '../../index';
import { challengeOf, createChallenge, DatagramKind, hasToken, kindOf } from './datagram-format';
import { DatagramReceiver } from './datagram-receiver';
import { DatagramSender } from './datagram-sender';
import type { Lane } from './lane';
import { encodePreamble } from './stream-preamble';
import { StreamReceiver } from './stream-receiver';
import { StreamSender } from './stream-sender';
import { bytesOfStream, type TestParameters } from './test-parameters';
import type { TestToken } from './test-token';

export interface LaneContext {
  readonly host: Host;
  readonly instance: ServiceID;
  readonly token: TestToken;
  readonly parameters: TestParameters;
}

/** What a client holds of a test: its lanes, and what must be closed behind them. */
export class ClientLanes {
  readonly lanes: Lane[] = [];
  private readonly cleanups: (() => void)[] = [];
  private readonly hellos: NodeJS.Timeout[] = [];

  constructor(private readonly context: LaneContext) {}

  /** Rejects when a connection cannot be made. */
  async open(): Promise<void> {
    const indexes = Array.from({ length: this.context.parameters.streams }, (_, index) => index);
    const open = this.context.parameters.transport === 'stream' ? this.openStream : this.openDatagrams;
    this.lanes.push(...(await Promise.all(indexes.map((index) => open.call(this, index)))));
  }

  /** The server knows all streams: nobody needs to say hello any more. */
  handleRunning(): void {
    for (const hello of this.hellos) clearInterval(hello);
  }

  close(): void {
    this.handleRunning();
    for (const cleanup of this.cleanups) cleanup();
  }

  private async openStream(index: number): Promise<Lane> {
    const { host, instance, token, parameters } = this.context;
    const socket = await promises.connect(instance, { host, allowHalfOpen: true });
    this.cleanups.push(() => socket.destroy());
    socket.write(encodePreamble({ token, index }));
    if (parameters.reverse) return new StreamReceiver(socket);
    const { rate, length } = parameters;
    return new StreamSender(socket, { rate, length, bytes: bytesOfStream(parameters, index) });
  }

  private async openDatagrams(index: number): Promise<Lane> {
    const { host, instance, token, parameters } = this.context;
    const socket = createSocket({ host });
    this.cleanups.push(() => socket.close());
    socket.connect(instance);
    await once(socket, 'connect');
    // What ends a connection ends the exchange, too, and is told there.
    socket.on('error', () => {});
    this.sayHello(socket, index);
    if (parameters.reverse) return this.datagramReceiver(socket);
    const { rate, length } = parameters;
    const bytes = bytesOfStream(parameters, index);
    return new DatagramSender((datagram, sent) => socket.send(datagram, sent), {
      ...{ token, stream: index, length, bytes },
      rate: rate!,
    });
  }

  /** Until the test runs: hellos, challenges and their answers may be lost. */
  private sayHello(socket: DatagramSocket, index: number): void {
    const { token } = this.context;
    const hello = (challenge?: Uint8Array): void => {
      socket.send(createChallenge(DatagramKind.hello, token, index, challenge), () => {});
    };
    socket.on('message', (bytes) => {
      if (kindOf(bytes) === DatagramKind.challenge && hasToken(bytes, token)) hello(challengeOf(bytes));
    });
    this.hellos.push(setInterval(hello, HELLO_INTERVAL));
    hello();
  }

  private datagramReceiver(socket: DatagramSocket): Lane {
    const lane = new DatagramReceiver();
    const { token } = this.context;
    socket.on('message', (bytes) => {
      if (kindOf(bytes) === DatagramKind.data && hasToken(bytes, token)) lane.handleDatagram(bytes);
    });
    return lane;
  }
}

/** Milliseconds. */
const HELLO_INTERVAL = 200;
