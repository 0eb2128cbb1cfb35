// The test's side of programs/hashed-streams.cjs: one stream between two actors, and what both ends say of it.

import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Actor } from './actor';

/** What an end writes: a chunk every so many milliseconds until `finish`, or so many bytes as fast as it goes. */
export interface Plan {
  readonly chunk: number;
  readonly every?: number;
  readonly bytes?: number;
}

export interface HashedReport {
  readonly sent: number;
  readonly received: number;
  /** SHA-256. */
  readonly sentHash: string;
  readonly receivedHash: string;
  /** How often its flow has changed its path. */
  readonly moves: number;
  readonly code?: string;
}

interface Place {
  readonly local: string;
  readonly remote: string;
}

export class StreamEnd {
  constructor(
    private readonly actor: Actor,
    readonly name: string,
  ) {}

  /** Resolves with the code of what kept it from moving. */
  migrate(to: { readonly interface?: string; readonly address?: string }): Promise<string | undefined> {
    return this.actor.ask('migrateEnd', { name: this.name, to });
  }

  place(): Promise<Place> {
    return this.actor.ask('placeOf', { name: this.name });
  }

  /** Resolves when so many bytes more have come. */
  receives(count: number): Promise<void> {
    return this.actor.ask('awaitBytes', { name: this.name, count });
  }

  finish(): Promise<HashedReport> {
    return this.actor.ask('finishEnd', { name: this.name });
  }
}

/** One stream; each end writes by its own plan. */
export class HashedStream {
  private constructor(
    readonly client: StreamEnd,
    readonly server: StreamEnd,
  ) {}

  /** `server` takes connections already (`listenHashed`). */
  static async open(client: Actor, server: Actor, service: string, plan: Plan): Promise<HashedStream> {
    const known = server.events.length;
    const name = `${service} ${client.pid}`;
    await client.ask('connectHashed', { service, name, plan, connectTimeout: CONNECT_TIMEOUT });
    const met = await server.event('met', (event) => server.events.indexOf(event) >= known);
    return new HashedStream(new StreamEnd(client, name), new StreamEnd(server, met.name!));
  }

  get ends(): readonly [StreamEnd, StreamEnd] {
    return [this.client, this.server];
  }

  /** Bytes get through in both directions. */
  async runs(count: number): Promise<void> {
    await Promise.all(this.ends.map((end) => end.receives(count)));
  }

  /** Resolves when each end is where the other one thinks: the last ACK of a move may be on its way. */
  async agrees(): Promise<void> {
    for (;;) {
      const [mine, theirs] = (await Promise.all(this.ends.map((end) => end.place()))) as [Place, Place];
      if (mine.local === theirs.remote && mine.remote === theirs.local) return;
      await sleep(10);
    }
  }

  /** Ends it at both ends and checks that each has what the other sent, byte for byte. */
  async finish(): Promise<readonly [HashedReport, HashedReport]> {
    const [client, server] = await Promise.all([this.client.finish(), this.server.finish()]);
    expect([client.code, server.code]).toEqual([undefined, undefined]);
    expect([client.received, server.received]).toEqual([server.sent, client.sent]);
    expect([client.receivedHash, server.receivedHash]).toEqual([server.sentHash, client.sentHash]);
    return [client, server];
  }
}

/** Milliseconds: the worst of networks loses many a SYN. */
const CONNECT_TIMEOUT = 60_000;
