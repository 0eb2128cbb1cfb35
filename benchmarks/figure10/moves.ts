// Moves of Figure 10 (§6.3): cables are pulled and put elsewhere while a stream runs both ways, again and again.

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { clock } from '../measuring/clock';
import { type StreamContender, wrapperOf } from '../measuring/movable-streams';
import { Ordered, type Place } from '../measuring/orders';
import { type Lab, openLab } from './lab';
import type { RouterOrders } from './middle';
import type { EndOrders, Progress, Task } from './task';

export const MOVERS = { server: ['server'], client: ['client'], both: ['client', 'server'] } as const;
export type Mover = keyof typeof MOVERS;

/** Milliseconds that nothing came beyond the time without a network; `undefined` when nothing came again. */
export interface Move {
  readonly toClient: number | undefined;
  readonly toServer: number | undefined;
  /** Without a network, as it was: what was asked for and what the commands take. */
  readonly dark: number;
}

export interface Cell {
  readonly mover: Mover;
  /** Milliseconds asked for. */
  readonly darkness: number;
  readonly moves: readonly Move[];
  /** Bytes that were written and never came, or came otherwise. Of connections that recovered. */
  readonly lost: number;
  readonly carried: number;
  /** What the client had received around the first move; times from when the network went. */
  readonly trace: readonly Progress[];
}

export interface Extent {
  readonly moves: number;
  /** What does not recover so often in a row will not the next time. */
  readonly attempts: number;
  /** Milliseconds that a connection may take to recover. */
  readonly patience: number;
  /** Of each end, in bits a second. */
  readonly rate: number;
  /** Whether the first move of a cell is told in full. */
  readonly isTraced: boolean;
}

export class Moves {
  private readonly client: Ordered<EndOrders>;
  private readonly server: Ordered<EndOrders>;
  private readonly router: Ordered<RouterOrders> | undefined;
  private isConnected = false;

  private constructor(
    private readonly lab: Lab,
    contender: StreamContender,
    private readonly extent: Extent,
  ) {
    const task: Task = { contender, rate: extent.rate };
    const end = (name: 'client' | 'server'): Ordered<EndOrders> => {
      const place: Place = { ...lab[name], wrapper: wrapperOf(contender) };
      return new Ordered(`the ${name}`, join(__dirname, 'end.js'), place, task);
    };
    this.client = end('client');
    this.server = end('server');
    this.router =
      contender === 'serval' ? new Ordered('the router', join(__dirname, 'middle.js'), lab.router, {}) : undefined;
  }

  static async open(contender: StreamContender, extent: Extent): Promise<Moves> {
    const lab = await openLab(contender);
    const moves = new Moves(lab, contender, extent);
    try {
      await moves.begin();
      return moves;
    } catch (error) {
      await moves.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.client.end(), this.server.end(), this.router?.end()]);
    this.lab.close();
  }

  /** Milliseconds, there and back. */
  async roundTrip(): Promise<number> {
    return (await this.client.ask('roundTrip', { address: this.lab.cables.server.address })).milliseconds;
  }

  async play(mover: Mover, darkness: number): Promise<Cell> {
    const moves: Move[] = [];
    let trace: readonly Progress[] = [];
    let balance = { lost: 0, carried: 0 };
    while (moves.length < this.extent.moves) {
      if (!this.isConnected) await this.connect();
      const { darkAt, ...move } = await this.move(mover, darkness);
      moves.push(move);
      if (moves.length === 1 && this.extent.isTraced) trace = await this.traceAround(darkAt);
      const hasRecovered = isRecovered(move);
      if (!hasRecovered) await this.abandon();
      const last = moves.slice(-this.extent.attempts);
      if (last.length === this.extent.attempts && !last.some(isRecovered)) break;
    }
    if (this.isConnected) balance = await this.finish();
    return { mover, darkness, moves, ...balance, trace };
  }

  private async begin(): Promise<void> {
    await Promise.all([this.client, this.server, this.router].map((program) => program?.ready()));
    await this.router?.ask('start', undefined);
    await this.server.ask('listen', undefined);
  }

  private async connect(): Promise<void> {
    await this.client.ask('connect', { address: this.lab.cables.server.address });
    this.isConnected = true;
    await this.flows();
  }

  private async move(mover: Mover, darkness: number): Promise<Move & { readonly darkAt: number }> {
    const cables = MOVERS[mover].map((end) => this.lab.cables[end]);
    await pause(STEADY);
    const begun = clock();
    await Promise.all(cables.map((cable) => cable.unplug()));
    const darkAt = clock();
    if (darkness > 0) await pause(darkness);
    await Promise.all(cables.map((cable) => cable.plug()));
    const dark = clock() - darkAt;
    await pause(STEADY);
    const hasRecovered = await this.flows();
    const beyond = async (end: Ordered<EndOrders>): Promise<number | undefined> => {
      const silence = await end.ask('silence', { from: begun });
      return hasRecovered ? silence.end - silence.begin - dark : undefined;
    };
    return { toClient: await beyond(this.client), toServer: await beyond(this.server), dark, darkAt };
  }

  /** Whether both ends hear each other, before patience ends. */
  private async flows(): Promise<boolean> {
    const until = clock() + this.extent.patience;
    for (;;) {
      const ends = await Promise.all([this.client, this.server].map((end) => end.ask('flow', undefined)));
      if (ends.every(({ isFlowing }) => isFlowing)) return true;
      if (clock() > until) return false;
      await pause(LOOK_EVERY);
    }
  }

  private async traceAround(darkAt: number): Promise<readonly Progress[]> {
    await pause(TRACE_AFTER - STEADY);
    const progress = await this.client.ask('progress', { from: darkAt - TRACE_BEFORE });
    const first = progress[0]?.bytes ?? 0;
    return progress
      .filter(({ at }) => at < darkAt + TRACE_AFTER)
      .map(({ at, bytes }) => ({ at: Math.round((at - darkAt) * 10) / 10, bytes: bytes - first }));
  }

  /** What was written is to be there, on both sides, before patience ends. */
  private async finish(): Promise<{ readonly lost: number; readonly carried: number }> {
    await Promise.all([this.client, this.server].map((end) => end.ask('stop', undefined)));
    const until = clock() + this.extent.patience;
    for (;;) {
      const [client, server] = await Promise.all([
        this.client.ask('balance', undefined),
        this.server.ask('balance', undefined),
      ]);
      if (!client.isRight || !server.isRight) throw new Error('what arrived is not what was sent');
      const lost = client.written - server.received + server.written - client.received;
      if (lost === 0 || clock() > until) {
        await this.abandon();
        return { lost, carried: client.received + server.received };
      }
      await pause(LOOK_EVERY);
    }
  }

  private async abandon(): Promise<void> {
    this.isConnected = false;
    await Promise.all([this.client, this.server].map((end) => end.ask('abandon', undefined)));
  }
}

export function isRecovered({ toClient, toServer }: Move): boolean {
  return toClient !== undefined && toServer !== undefined;
}

/** Milliseconds. */
const STEADY = 150;
const LOOK_EVERY = 50;
const TRACE_BEFORE = 300;
const TRACE_AFTER = 1500;
