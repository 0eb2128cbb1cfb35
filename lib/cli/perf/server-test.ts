// One test at the server: its streams are attached as the client opens them, and nothing is sent before all are
// there and, for datagrams, before the client has shown that it is where they would go.

import { randomBytes } from 'node:crypto';
import type { DatagramSocket, RemoteInfo, Socket } from '../../index';
import { CHALLENGE_BYTES, challengeOf, createChallenge, DatagramKind, streamOf } from './datagram-format';
import { DatagramReceiver } from './datagram-receiver';
import { DatagramSender } from './datagram-sender';
import { Completion, type Lane } from './lane';
import { StreamReceiver } from './stream-receiver';
import { StreamSender } from './stream-sender';
import { bytesOfStream, type TestParameters } from './test-parameters';
import { TestToken } from './test-token';

interface Challenge {
  readonly bytes: Buffer;
  readonly source: RemoteInfo;
}

export class ServerTest {
  readonly token: TestToken;
  private readonly lanes: (Lane | undefined)[];
  private readonly challenges: (Challenge | undefined)[];
  private readonly complete = new Completion();
  private missing: number;

  constructor(
    number: number,
    readonly parameters: TestParameters,
    private readonly datagrams: DatagramSocket,
  ) {
    this.token = TestToken.create(number);
    this.missing = parameters.streams;
    this.lanes = new Array(parameters.streams).fill(undefined);
    this.challenges = new Array(parameters.streams).fill(undefined);
  }

  /** All streams, when all are there. */
  async attached(): Promise<readonly Lane[]> {
    await this.complete.promise;
    return this.lanes as Lane[];
  }

  /** False when it is none of this test's streams, or there already. */
  attachStream(index: number, socket: Socket): boolean {
    if (this.parameters.transport !== 'stream' || !this.isFree(index)) return false;
    const { reverse, rate, length } = this.parameters;
    const bytes = bytesOfStream(this.parameters, index);
    this.attach(index, reverse ? new StreamSender(socket, { rate, length, bytes }) : new StreamReceiver(socket));
    return true;
  }

  /** A datagram that has this test's token. Whoever brings a challenge back is where that was sent. */
  handleDatagram(kind: DatagramKind, bytes: Buffer, source: RemoteInfo): void {
    if (this.parameters.transport !== 'datagram') return;
    const index = streamOf(bytes);
    const lane = this.lanes[index];
    if (kind === DatagramKind.data && lane instanceof DatagramReceiver) lane.handleDatagram(bytes);
    else if (kind === DatagramKind.hello && this.isFree(index)) this.handleHello(index, challengeOf(bytes), source);
  }

  abort(): void {
    for (const lane of this.lanes) lane?.abort();
  }

  private handleHello(index: number, answer: Buffer, source: RemoteInfo): void {
    const known = this.challenges[index];
    if (known?.bytes.equals(answer)) return this.attach(index, this.datagramLane(index, known.source));
    const challenge = { bytes: randomBytes(CHALLENGE_BYTES), source };
    this.challenges[index] = challenge;
    // A hello that finds no room is repeated.
    const question = createChallenge(DatagramKind.challenge, this.token, index, challenge.bytes);
    this.datagrams.send(question, source, () => {});
  }

  private datagramLane(stream: number, source: RemoteInfo): Lane {
    const { reverse, length, rate } = this.parameters;
    if (!reverse) return new DatagramReceiver();
    const bytes = bytesOfStream(this.parameters, stream);
    return new DatagramSender((datagram, sent) => this.datagrams.send(datagram, source, sent), {
      ...{ token: this.token, stream, length, bytes },
      rate: rate!,
    });
  }

  private isFree(index: number): boolean {
    return index < this.parameters.streams && this.lanes[index] === undefined;
  }

  private attach(index: number, lane: Lane): void {
    this.lanes[index] = lane;
    if (--this.missing === 0) this.complete.complete();
  }
}
