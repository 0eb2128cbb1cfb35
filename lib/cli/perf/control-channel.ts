// One end of the control exchange over a stream: messages out, messages in, in order, and a sign of life in between.
// Every wait has an end: the peer's answer, its silence, or the end of its stream.

import type { Socket } from '../../index';
import { encodeFrame, FrameReader } from './frames';
import { checkMessage, type Message } from './messages';
import { PerfError, PerfErrorCode } from './perf-error';
import { PERF_ALIVE_INTERVAL, PERF_MESSAGES_MAXIMUM, PERF_SILENCE_MAXIMUM } from './perf-limits';

type Arrival = (outcome: Message | Error) => void;

export class ControlChannel {
  /** Rejects when no more messages will come, for who waits for something else. */
  readonly broken: Promise<never>;
  private readonly frames = new FrameReader();
  private readonly arrived: Message[] = [];
  private readonly silence: NodeJS.Timeout;
  private readonly alive: NodeJS.Timeout;
  private waiting: Arrival | undefined;
  private failure: Error | undefined;
  private handleFailure: (error: Error) => void = () => {};
  private count = 0;

  /** `silenceMaximum` milliseconds without a message, and the peer counts as gone. */
  constructor(
    private readonly socket: Socket,
    silenceMaximum: number = PERF_SILENCE_MAXIMUM,
  ) {
    this.broken = new Promise((_, reject) => {
      this.handleFailure = reject;
    });
    this.broken.catch(() => {});
    this.silence = setTimeout(() => this.fail(silent()), silenceMaximum);
    this.alive = setInterval(() => this.send({ type: 'alive' }), PERF_ALIVE_INTERVAL);
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('end', () => this.fail(gone()));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(gone()));
  }

  /** Also after the peer has failed: it is told why. */
  send(message: Message): void {
    if (this.socket.writable) this.socket.write(encodeFrame(message));
  }

  /** The next message that is no sign of life. Rejects when none will come: PERF_ENDED, PERF_TIMEOUT, PERF_PROTOCOL. */
  receive(): Promise<Message> {
    const message = this.arrived.shift();
    if (message !== undefined) return Promise.resolve(message);
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.waiting = (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome));
    });
  }

  /** The next message, which has to be of this type; `error` rejects with what the peer said. */
  async expect<T extends Message['type']>(type: T): Promise<Extract<Message, { type: T }>> {
    const message = await this.receive();
    if (message.type === type) return message as Extract<Message, { type: T }>;
    if (message.type === 'error') throw new PerfError(message.code, message.message);
    throw new PerfError(PerfErrorCode.protocol, `the other end sent ${message.type} instead of ${type}`);
  }

  /** Says no more; what was said arrives. */
  end(): void {
    this.fail(gone());
    this.socket.end();
  }

  private take(chunk: Buffer): void {
    if (this.failure !== undefined) return;
    try {
      for (const value of this.frames.read(chunk)) this.handle(checkMessage(value));
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private handle(message: Message): void {
    if (++this.count > PERF_MESSAGES_MAXIMUM)
      throw new PerfError(PerfErrorCode.protocol, 'the other end says too much');
    this.silence.refresh();
    if (message.type === 'alive') return;
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting === undefined) this.arrived.push(message);
    else waiting(message);
  }

  private fail(error: Error): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    clearTimeout(this.silence);
    clearInterval(this.alive);
    this.waiting?.(error);
    this.handleFailure(error);
  }
}

function silent(): PerfError {
  return new PerfError(PerfErrorCode.timeout, 'nothing was heard of the other end');
}

function gone(): PerfError {
  return new PerfError(PerfErrorCode.ended, 'the other end has gone');
}
