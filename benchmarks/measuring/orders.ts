// A program that is told what to do, from both sides: orders with an answer each, over the channel of a child process.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { pinnedTo } from './pinning';

/** An order's name, with what it is told and what it answers. */
type Orders<All> = { readonly [Name in keyof All]: { readonly argument: unknown; readonly result: unknown } };

interface Asked {
  readonly id: number;
  readonly order: string;
  readonly argument: unknown;
}

interface Answered {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** The program's side: what it does when asked. It ends with whoever started it. */
export function obey<All extends Orders<All>>(
  orders: {
    readonly [Name in keyof All]: (argument: All[Name]['argument']) => Promise<All[Name]['result']>;
  },
): void {
  process.on('message', ({ id, order, argument }: Asked) => {
    orders[order as keyof All](argument).then(
      (result) => process.send?.({ id, result }),
      (error: Error) => process.send?.({ id, error: error.message }),
    );
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ id: READY });
}

/** Where a program runs, and with what in its environment. */
export interface Place {
  readonly namespace: string;
  /** The one it keeps to; any by default. */
  readonly processor?: number;
  /** What stands before the program in its command. */
  readonly wrapper?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** The other side. */
export class Ordered<All extends Orders<All>> {
  readonly exited: Promise<number | NodeJS.Signals>;
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  private lastId = READY;

  /** `file` is a compiled one. */
  constructor(
    private readonly name: string,
    file: string,
    { namespace, processor, wrapper = [], environment }: Place,
    task: object,
  ) {
    const pin = processor === undefined ? [] : pinnedTo(processor);
    const program = [...pin, ...wrapper, process.execPath, file, JSON.stringify(task)];
    this.child = spawn('ip', ['netns', 'exec', namespace, ...program], {
      // What it prints is not part of our report.
      stdio: ['ignore', 2, 2, 'ipc'],
      env: { ...process.env, ...environment },
    });
    this.child.on('message', (answer: Answered) => this.handleAnswer(answer));
    this.exited = once(this.child, 'exit').then(([code, signal]) => code ?? signal);
    void this.exited.then((code) => {
      const error = new Error(`${name} ended with ${code}`);
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
    });
  }

  /** Rejects when the program cannot do it, ends meanwhile, or says nothing for a minute. */
  ask<Name extends keyof All & string>(order: Name, argument: All[Name]['argument']): Promise<All[Name]['result']> {
    const id = ++this.lastId;
    const answer = this.answerTo(id, order);
    this.child.send({ id, order, argument } satisfies Asked, (error) => {
      if (error !== null) this.handleAnswer({ id, error: error.message });
    });
    return answer as Promise<All[Name]['result']>;
  }

  /** Resolves when the program can be asked. */
  ready(): Promise<unknown> {
    return this.answerTo(READY, 'start');
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** It exits when it is let go. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    if (this.child.connected) this.child.disconnect();
    const overdue = setTimeout(() => this.kill(), END_MAXIMUM);
    await this.exited;
    clearTimeout(overdue);
  }

  private answerTo(id: number, order: string): Promise<unknown> {
    let late: NodeJS.Timeout | undefined;
    const answer = new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      late = setTimeout(() => reject(new Error(`${this.name} did not ${order} within ${PATIENCE / 1000} s`)), PATIENCE);
    });
    return answer.finally(() => {
      clearTimeout(late);
      this.waiting.delete(id);
    });
  }

  private handleAnswer({ id, result, error }: Answered): void {
    if (error === undefined) this.waiting.get(id)?.resolve(result);
    else this.waiting.get(id)?.reject(new Error(`${this.name}: ${error}`));
  }
}

const READY = 0;
/** Milliseconds. */
const PATIENCE = 60_000;
const END_MAXIMUM = 3_000;
