// The perf exchange spoken by hand, message by message, so that tests can keep to it or not.

import { type Host, promises, type Socket } from '../../lib';
import { encodeFrame, FrameReader } from '../../lib/cli/perf/frames';

export type Frame = Record<string, unknown>;

export const REQUEST = {
  type: 'request',
  version: 1,
  parameters: {
    transport: 'stream',
    reverse: false,
    streams: 1,
    seconds: 10,
    bytes: null,
    rate: null,
    length: 1000,
  },
} as const;

export const DATAGRAM_REQUEST = {
  ...REQUEST,
  parameters: { ...REQUEST.parameters, transport: 'datagram', rate: 1e6, length: 100 },
} as const;

export const RESULTS = {
  type: 'results',
  report: { streams: [{ bytes: 0, seconds: 1, datagrams: 4 }], processor: { user: 0, system: 0, elapsed: 1 } },
} as const;

/** One end of the exchange. */
export class ByHand {
  private readonly reader = new FrameReader();
  private readonly arrived: Frame[] = [];
  private isClosed = false;
  private wake: () => void = () => {};

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.arrived.push(...(this.reader.read(chunk) as Frame[]).filter(({ type }) => type !== 'alive'));
      this.wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.wake();
    });
  }

  static async connect(host: Host, service: string): Promise<ByHand> {
    return new ByHand(await promises.connect(service, { host, noDelay: true }));
  }

  say(...messages: unknown[]): void {
    for (const message of messages) this.socket.write(encodeFrame(message));
  }

  /** What comes next; undefined when the other end has gone. */
  async hear(): Promise<Frame | undefined> {
    while (this.arrived.length === 0 && !this.isClosed) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.arrived.shift();
  }

  async ask(request: unknown): Promise<Frame | undefined> {
    this.say(request);
    return this.hear();
  }
}
