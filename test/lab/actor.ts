// The test's side of programs/actor.cjs: a real process that does with sockets what it is told. What it prints
// on stderr - an uncaught exception, an unhandled rejection, a warning - fails the test that started it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { LabHost } from './lab';

/** How an attempt to connect went; times in milliseconds on the machine's clock, `now()`. */
export interface Attempt {
  readonly startedAt: number;
  readonly answeredAt?: number;
  readonly failedAt?: number;
  readonly code?: string;
  /** The process that answered. */
  readonly pid?: number;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
}

export interface StreamReport {
  readonly sent: number;
  readonly received: number;
  readonly wrong: number;
  readonly longestPause: number;
  readonly code?: string;
}

export interface CountReport extends ActorEvent {
  readonly bytes: number;
  readonly last: string;
  readonly ended: boolean;
  readonly code?: string;
}

export interface ActorEvent {
  readonly event: string;
  readonly at: number;
  readonly name?: string;
  readonly code?: string;
  readonly [key: string]: unknown;
}

export interface ActorOptions {
  /** The namespace to run in; none for this machine itself. */
  readonly on?: LabHost;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The machine's clock, as the actors read it. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

export class Actor {
  stderr = '';
  readonly events: ActorEvent[] = [];
  private readonly answers = new Map<number, (message: Answer) => void>();
  private readonly watchers = new Set<() => void>();
  private readonly child: ChildProcess;
  private readonly exit: Promise<number | NodeJS.Signals>;
  private lastId = 0;
  private isExpectedToEnd = false;

  private constructor({ on, environment = {} }: ActorOptions) {
    const inNamespace = on === undefined ? [] : ['ip', 'netns', 'exec', on.namespace];
    const [program, ...args] = [...inNamespace, process.execPath, join(__dirname, 'programs', 'actor.cjs')];
    this.child = spawn(program!, args, {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      env: { ...process.env, ...environment },
    });
    this.child.stderr!.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.child.on('message', (message) => this.handleMessage(message as Answer | ActorEvent));
    this.exit = once(this.child, 'close').then(([code, signal]) => code ?? signal);
  }

  static async start(options: ActorOptions = {}): Promise<Actor> {
    const actor = new Actor(options);
    await actor.event('ready');
    return actor;
  }

  get pid(): number {
    return this.child.pid!;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Rejects when the actor could not do it, or ends before it answers. */
  ask<T = void>(verb: string, args: object = {}): Promise<T> {
    const id = ++this.lastId;
    this.child.send({ id, verb, ...args });
    const answered = new Promise<T>((resolve, reject) => {
      this.answers.set(id, ({ result, error }) =>
        error === undefined ? resolve(result as T) : reject(new Error(error)),
      );
    });
    const ended = this.exit.then((code): never => {
      throw new Error(`the actor ended with ${code} during ${verb}: ${this.stderr}`);
    });
    ended.catch(() => {});
    return Promise.race([answered, ended]);
  }

  /** Asks for something after which the actor may be gone. */
  order(verb: string, args: object = {}): void {
    this.isExpectedToEnd = true;
    this.child.send({ id: ++this.lastId, verb, ...args });
  }

  /** The first event of that kind that fits, now or later. */
  async event<T extends ActorEvent>(kind: string, fits: (event: ActorEvent) => boolean = () => true): Promise<T> {
    for (;;) {
      const found = this.events.find((event) => event.event === kind && fits(event));
      if (found !== undefined) return found as T;
      await Promise.race([
        new Promise<void>((resolve) => this.watchers.add(resolve)),
        this.exit.then((code) => {
          throw new Error(`the actor ended with ${code} before ${kind}: ${this.stderr}`);
        }),
      ]);
    }
  }

  /** Kills it without warning; the time of the kill. */
  kill(): number {
    this.isExpectedToEnd = true;
    this.child.kill('SIGKILL');
    return now();
  }

  /** Has its event loop stuck until `resume`; the time of it. */
  stop(): number {
    this.child.kill('SIGSTOP');
    return now();
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  /** Resolves with its exit code when it has ended by itself. */
  ended(): Promise<number | NodeJS.Signals> {
    this.isExpectedToEnd = true;
    return this.exit;
  }

  /** Ends it, if it has not ended yet, and checks that it was in good order until then. */
  async end(): Promise<void> {
    const wasRunning = this.isRunning;
    this.child.kill('SIGKILL');
    await this.exit;
    expect(this.stderr).toBe('');
    if (!this.isExpectedToEnd) expect(wasRunning).toBe(true);
  }

  private handleMessage(message: Answer | ActorEvent): void {
    if ('event' in message) {
      this.events.push(message);
      for (const wake of this.watchers) wake();
      this.watchers.clear();
    } else {
      this.answers.get(message.id)?.(message);
      this.answers.delete(message.id);
    }
  }
}

/** The actors of a test file; `end` them after each test. */
export class Company {
  private readonly actors: Actor[] = [];

  async start(options: ActorOptions = {}): Promise<Actor> {
    const actor = await Actor.start(options);
    this.actors.push(actor);
    return actor;
  }

  async end(): Promise<void> {
    const results = await Promise.allSettled(this.actors.splice(0).map((actor) => actor.end()));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}
