// One end of a connection in a story: sends what its plan says, reads what the other sends, and checks every
// call of the stack as it comes.

import type { StreamHandle, StreamObserver } from '../../lib/driver/handles';
import type { ServalError } from '../../lib/errors';
import { SEND_BUFFER_MAXIMUM, SEND_BUFFER_MINIMUM } from '../../lib/limits';
import type { SimulatedHost } from '../../lib/sim/simulated-host';
import type { World } from '../../lib/sim/world';
import { type Duration, milliseconds } from '../../lib/time/instant';
import { HEAD_BYTES, patternBytes, readHead } from './byte-pattern';

export interface StreamPlan {
  /** Names the bytes of this direction. */
  readonly key: number;
  /** Bytes to send, the head included. */
  readonly length: number;
  /** Most bytes of one `write`. */
  readonly chunk: number;
  /** Writes one chunk in so long, as a call or a sensor does. */
  readonly every?: Duration;
  /** Sends nothing before the first byte of the peer. */
  readonly waitsForPeer: boolean;
  /** Sends the rest and FIN only when the peer has ended. */
  readonly endsLast: boolean;
  /** Sends FIN only after `release`. */
  readonly holds?: boolean;
  /** Sends the second half and FIN only so long after it was connected. */
  readonly lingers?: Duration;
  /** Probes after so many milliseconds of silence. */
  readonly keepAlive?: number;
  /** Milliseconds without an acknowledgment until it gives up. */
  readonly userTimeout?: number;
  /** Resets once so many bytes were written. */
  readonly resetAfter?: number;
  /** Closes, whatever is unread, once so many bytes were read. */
  readonly closeAfter?: number;
  /** Stops reading after each so many bytes ... */
  readonly pauseEvery?: number;
  /** ... for so long. */
  readonly pauseFor?: Duration;
}

/** Whether this end means to see the connection through. */
export function isGraceful(plan: StreamPlan): boolean {
  return plan.resetAfter === undefined && plan.closeAfter === undefined;
}

export class StreamActor implements StreamObserver {
  readonly name: string;
  handle: StreamHandle | undefined;
  isConnected = false;
  isEnded = false;
  isFinished = false;
  isClosed = false;
  /** Its host crashed: nobody will tell it anything. */
  isGone = false;
  /** The story itself ended the connection, by its plan. */
  hasQuit = false;
  error: ServalError | undefined;
  /** How often its flow has changed its path, and could not. */
  moves = 0;
  failedMoves = 0;
  received = 0;
  sent = 0;
  /** FlowID at this end of the first flow, once connected. */
  flowID: number | undefined;
  /** Key and length of the peer's bytes, once its head is here. */
  peer: { key: number; length: number } | undefined;
  private head = Buffer.alloc(0);
  private hasShutDown = false;
  /** The most that may wait to be sent or acknowledged. */
  private readonly sendBuffer: number;
  private isHeld: boolean;
  private isReading = false;
  private isPacing = false;
  private sincePause = 0;

  constructor(
    role: 'client' | 'server',
    readonly host: SimulatedHost,
    readonly plan: StreamPlan,
    private readonly world: World,
    sendBuffer = SEND_BUFFER_MAXIMUM,
  ) {
    this.sendBuffer = Math.max(sendBuffer, SEND_BUFFER_MINIMUM);
    this.name = `${role} ${plan.key} on ${host.name}`;
    this.isHeld = plan.holds === true || plan.lingers !== undefined;
  }

  /** Takes an accepted connection; `connected` follows, as for one that connects. */
  accept(handle: StreamHandle): void {
    this.handle = handle;
    handle.setObserver(this);
  }

  connected(): void {
    this.expect(!this.isConnected && !this.isClosed, 'connected once, while open');
    this.isConnected = true;
    this.flowID = this.handle!.flows[0]?.localFlowID;
    this.isReading = true;
    this.handle!.startReading();
    if (this.plan.keepAlive !== undefined) this.handle!.setKeepAlive(true, this.plan.keepAlive);
    if (this.plan.userTimeout !== undefined) this.handle!.setUserTimeout(this.plan.userTimeout);
    if (this.plan.lingers !== undefined) this.world.in(this.plan.lingers, () => this.release());
    this.pump();
  }

  data(chunk: Buffer): void {
    this.expect(this.isConnected && !this.isClosed && !this.isEnded, 'data only between connected and ended');
    this.expect(this.isReading && !this.hasQuit, 'no data while reading is stopped, or after the end');
    this.expect(chunk.length > 0, 'no empty data');
    this.check(chunk);
    this.received += chunk.length;
    if (this.closesNow()) this.quit((open) => open.close());
    else this.rest(chunk.length);
    this.pump();
  }

  ended(): void {
    this.expect(!this.isEnded && !this.isClosed, 'ended once, before closed');
    this.isEnded = true;
    this.pump();
    this.closeWhenDone();
  }

  writable(): void {
    this.expect(!this.isClosed, 'writable only while open');
    this.pump();
  }

  finished(): void {
    const hasEnded = this.hasShutDown || this.hasQuit;
    this.expect(hasEnded && !this.isFinished && !this.isClosed, 'finished once, after shutdown, before closed');
    this.isFinished = true;
    this.closeWhenDone();
  }

  failed(error: ServalError): void {
    this.expect(this.error === undefined && !this.isClosed, `failed once, before closed, not with ${error.code}`);
    this.error = error;
  }

  migrated(): void {
    this.expect(this.isConnected && !this.isClosed, 'migrated only while open');
    this.moves++;
  }

  migrationFailed(error: ServalError): void {
    this.expect(error.code === 'ETIMEDOUT', `a move fails because nobody answers, not with ${error.code}`);
    this.failedMoves++;
  }

  closed(): void {
    this.expect(!this.isClosed, 'closed once');
    this.isClosed = true;
  }

  release(): void {
    this.isHeld = false;
    this.pump();
  }

  /** Ends the connection without waiting for anything. */
  quit(how: (handle: StreamHandle) => void): void {
    this.hasQuit = true;
    how(this.handle!);
  }

  /** All that both ends had to say is here or acknowledged, whether it was ended or not. */
  get isQuiet(): boolean {
    const isSent = this.sent === this.plan.length && this.handle!.bytesBuffered === 0;
    return this.isConnected && isSent && this.received === this.peer?.length;
  }

  /** Everything both ways arrived and was ended in order. */
  get isComplete(): boolean {
    return this.isEnded && this.isFinished && this.error === undefined && this.received === this.peer?.length;
  }

  describe(): string {
    const flags = {
      connected: this.isConnected,
      ended: this.isEnded,
      finished: this.isFinished,
      closed: this.isClosed,
    };
    const set = Object.entries(flags).filter(([, value]) => value);
    const state = set.map(([name]) => name).join(' ');
    const progress = `sent ${this.sent}/${this.plan.length}, received ${this.received}/${this.peer?.length ?? '?'}`;
    return `${this.name}: ${state}${this.error === undefined ? '' : ` ${this.error.code}`}, ${progress}`;
  }

  /** Writes as much as the send buffer takes, and ends as the plan says. */
  private pump(): void {
    const { plan, handle } = this;
    if (handle === undefined || !this.isConnected || this.isClosed || this.hasQuit || this.error !== undefined) return;
    if (plan.waitsForPeer && this.received === 0 && !this.isEnded) return;
    const most = plan.lingers !== undefined && this.isHeld ? Math.ceil(plan.length / 2) : plan.length;
    while (this.sent < most) {
      if (this.isPacing) return;
      const end = Math.min(most, this.sent + plan.chunk);
      const accepted = handle.write(patternBytes(plan.key, plan.length, this.sent, end));
      this.expect(accepted >= 0 && accepted <= end - this.sent, 'write accepts what it was given, or less');
      this.sent += accepted;
      if (plan.every !== undefined) this.pace(plan.every);
      this.expect(handle.bytesBuffered <= this.sendBuffer, `at most ${this.sendBuffer} bytes buffered`);
      if (plan.resetAfter !== undefined && this.sent >= plan.resetAfter) return this.quit((open) => open.reset());
      if (accepted === 0 || this.sent < end) return;
    }
    if (this.isHeld || (plan.endsLast && !this.isEnded)) return;
    this.shutdown();
  }

  private pace(pause: Duration): void {
    this.isPacing = true;
    this.world.in(pause, () => {
      this.isPacing = false;
      this.pump();
    });
  }

  private shutdown(): void {
    if (this.hasShutDown) return;
    this.hasShutDown = true;
    this.handle!.shutdown();
    // A connection that was reset in the same burst takes anything.
    const isDead = this.handle!.flows.length === 0;
    this.expect(isDead || this.handle!.write(Buffer.from('late')) === 0, 'nothing is accepted after shutdown');
  }

  private closesNow(): boolean {
    return this.plan.closeAfter !== undefined && this.received >= this.plan.closeAfter && !this.hasQuit;
  }

  private closeWhenDone(): void {
    if (this.isEnded && this.isFinished && !this.hasQuit) this.handle!.close();
  }

  /** A slow reader stops now and then. */
  private rest(count: number): void {
    const { pauseEvery, pauseFor } = this.plan;
    if (pauseEvery === undefined) return;
    this.sincePause += count;
    if (this.sincePause < pauseEvery) return;
    this.sincePause = 0;
    this.isReading = false;
    this.handle!.stopReading();
    this.world.in(pauseFor ?? milliseconds(1), () => {
      if (this.isClosed || this.hasQuit) return;
      this.isReading = true;
      this.handle!.startReading();
    });
  }

  /** Compares bytes with what the peer's head promised. */
  private check(chunk: Buffer): void {
    if (this.peer === undefined) {
      this.head = Buffer.concat([this.head, chunk]);
      if (this.head.length < HEAD_BYTES) return;
      this.peer = readHead(this.head);
      this.compare(this.head, 0);
    } else {
      this.compare(chunk, this.received);
    }
  }

  private compare(bytes: Buffer, from: number): void {
    const { key, length } = this.peer!;
    this.expect(from + bytes.length <= length, `no more than the ${length} bytes sent`);
    const right = patternBytes(key, length, from, from + bytes.length).equals(bytes);
    this.expect(right, `bytes ${from} to ${from + bytes.length} are those that were sent`);
  }

  private expect(holds: boolean, what: string): void {
    if (!holds) throw new Error(`${this.describe()}: expected ${what}`);
  }
}
