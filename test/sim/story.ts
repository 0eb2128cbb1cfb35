// The parts every story has: a world from a seed, services, clients that connect to them, and the end.

import { writeFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import type { ConnectOptions, ListenerHandle, ListenOptions, StreamHandle } from '../../lib/driver/handles';
import type { SimulatedHost } from '../../lib/sim/simulated-host';
import { World } from '../../lib/sim/world';
import { type Duration, seconds } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { Chance } from './chance';
import { checkAgreement, checkEncounter, checkNothingLeft, checkStillborn, type Encounter } from './checkers';
import { StreamActor, type StreamPlan } from './stream-actor';
import './transitions';

export class Story {
  readonly world: World;
  readonly chance: Chance;
  readonly encounters: Encounter[] = [];
  /** Accepted connections that were reset before the listener heard of them. */
  readonly stillborn: StreamActor[] = [];
  readonly listeners: ListenerHandle[] = [];
  private key = 1;

  constructor(seed: number) {
    this.world = new World({ seed, traceCapacity: TRACE_FILE === undefined ? 1000 : 1_000_000 });
    this.chance = new Chance(SeededRandom.of(seed ^ 0x5eed));
  }

  service(number: number): ServiceID {
    return ServiceID.fromHex(number.toString(16).padStart(64, '0'))!;
  }

  /** `host` offers the service; every accepted connection does what `plan` says. */
  serve(host: SimulatedHost, service: ServiceID, plan: () => StreamPlan, options: ListenOptions = {}): ListenerHandle {
    const connection = (handle: StreamHandle): void => this.meet(host, handle, plan(), options.sendBuffer);
    const listener = host.listen(ServicePrefix.of(service), options, { connection });
    this.listeners.push(listener);
    return listener;
  }

  /** `host` connects to the service. */
  visit(host: SimulatedHost, service: ServiceID, plan: StreamPlan, options: ConnectOptions = {}): Encounter {
    const client = new StreamActor('client', host, plan, this.world, options.sendBuffer);
    const encounter: Encounter = { client, accepted: [], isDisturbed: false };
    this.encounters.push(encounter);
    client.handle = host.connect(service, options, client);
    return encounter;
  }

  /** A plan without mischief; `more` adds some. */
  plan(length: number, more: Partial<StreamPlan> = {}): StreamPlan {
    const { chance } = this;
    return {
      key: this.key++,
      length: Math.max(8, length),
      chunk: chance.magnitude(1, 60_000),
      waitsForPeer: false,
      endsLast: false,
      ...more,
    };
  }

  /** The host's process ends: what it took part in may end anyhow, and its own ends are told nothing. */
  crash(host: SimulatedHost): void {
    host.crash();
    for (const encounter of this.encounters) {
      const ends = [encounter.client, ...encounter.accepted];
      // Perhaps it was about to be accepted there.
      if (encounter.accepted.length === 0) encounter.isDisturbed = true;
      for (const end of ends) if (end.host === host && !end.isClosed) end.isGone = encounter.isDisturbed = true;
    }
    for (const end of this.stillborn) if (end.host === host) end.isGone = true;
  }

  /** Nobody answered while there was trouble: who did not get through is not asked for more. */
  forgiveConnects(): void {
    for (const encounter of this.encounters) if (!encounter.client.isConnected) encounter.isDisturbed = true;
  }

  /** Runs until every connection is open and has carried what it had to. */
  settle(within: Duration = seconds(3600)): void {
    const isQuiet = (): boolean => this.actors().every((actor) => actor.isQuiet || actor.isClosed);
    this.world.run({ for: within, until: isQuiet });
    this.require(isQuiet, within);
  }

  /** Both ends of every open connection agree on its flows. */
  agree(): void {
    for (const encounter of this.encounters) if (!encounter.client.isClosed) checkAgreement(encounter);
  }

  release(): void {
    for (const actor of this.actors()) actor.release();
  }

  /** Runs to the end, closes what listens, and checks all that must hold then. */
  end(within: Duration = seconds(3600)): void {
    const isOver = (): boolean => this.actors().every((actor) => actor.isClosed);
    this.world.run({ for: within, until: isOver });
    this.require(isOver, within);
    for (const listener of this.listeners) listener.close();
    this.world.run();
    for (const encounter of this.encounters) checkEncounter(encounter);
    checkStillborn(this.stillborn, this.encounters);
    checkNothingLeft(this.world);
  }

  private meet(host: SimulatedHost, handle: StreamHandle, plan: StreamPlan, sendBuffer: number | undefined): void {
    const server = new StreamActor('server', host, plan, this.world, sendBuffer);
    server.accept(handle);
    const remote = handle.flows[0]?.remoteFlowID;
    if (remote === undefined) this.stillborn.push(server);
    else this.encounterOf(remote, server).accepted.push(server);
  }

  private encounterOf(clientFlowID: number, server: StreamActor): Encounter {
    const encounter = this.encounters.find(({ client }) => client.flowID === clientFlowID);
    if (encounter === undefined) throw new Error(`${server.name}: nobody connected with flow ${clientFlowID}`);
    return encounter;
  }

  /** Both ends of all connections, but those whose host is gone. */
  private actors(): StreamActor[] {
    const met = this.encounters.flatMap(({ client, accepted }) => [client, ...accepted]);
    return [...met, ...this.stillborn].filter((actor) => !actor.isGone);
  }

  private require(condition: () => boolean, within: Duration): void {
    if (condition()) return;
    const unfinished = this.actors()
      .filter((actor) => !actor.isClosed)
      .map((actor) => `\n  ${actor.describe()}`);
    throw new Error(`not over after ${within / 1000} s:${unfinished.join('')}`);
  }
}

/** One test for each seed of a family; `SERVAL_SEED` replays a single one, `SERVAL_TRACE` writes its packets to a file. */
export function stories(name: string, first: number, count: number, tell: (story: Story) => void): void {
  const seeds = seedsFrom(first, count);
  if (seeds.length === 0) return;
  describe(name, () => {
    it.each(seeds)('seed %i', (seed) => {
      const story = new Story(seed);
      try {
        story.world.tell(() => tell(story));
      } finally {
        if (TRACE_FILE !== undefined) writeFileSync(TRACE_FILE, story.world.trace.format());
      }
    });
  });
}

function seedsFrom(first: number, count: number): number[] {
  const wanted = process.env.SERVAL_SEED;
  const length = count * MANY;
  if (wanted === undefined) return Array.from({ length }, (_, index) => first + index);
  const seed = Number(wanted);
  return seed >= first && seed < first + length ? [seed] : [];
}

/** How many times as many seeds as usual to run: for a long search. */
const MANY = Number(process.env.SERVAL_STORIES ?? 1);
const TRACE_FILE = process.env.SERVAL_TRACE;
