// Two hosts with several interfaces each, on networks that all reach each other, and one stream between them that is
// to change its paths.

import { Blackhole } from '../../lib/sim/elements/blackhole';
import type { NetworkElement } from '../../lib/sim/network-element';
import type { Segment } from '../../lib/sim/segment';
import type { SimulatedHost } from '../../lib/sim/simulated-host';
import type { SimulatedInterface } from '../../lib/sim/simulated-interface';
import { milliseconds } from '../../lib/time/instant';
import type { NetworkAddress } from '../../lib/wire/network-address';
import type { Encounter } from './checkers';
import type { Story } from './story';
import type { StreamActor, StreamPlan } from './stream-actor';

export interface MovingOptions {
  readonly link?: 'udp' | 'raw';
  readonly family?: 4 | 6;
  /** Interfaces of the client and of the server. */
  readonly interfaces?: readonly [number, number];
  /** What each packet meets between a network of the client and one of the server, in one direction. */
  readonly between?: () => NetworkElement[];
  readonly plan?: Partial<StreamPlan>;
  readonly length?: number;
}

export class MovingWorld {
  readonly client: SimulatedHost;
  readonly server: SimulatedHost;
  readonly encounter: Encounter;
  private readonly holes = new Map<SimulatedInterface, Blackhole>();

  constructor(
    readonly story: Story,
    { link = 'udp', family = 4, interfaces = [2, 2], between = () => [], plan = {}, length = 1_000_000 }: MovingOptions,
  ) {
    const { world } = story;
    this.client = world.host('client', { link });
    this.server = world.host('server', { link });
    const [near, far] = interfaces;
    const mine = Array.from({ length: near }, (_, index) => world.segment(`client network ${index}`));
    const theirs = Array.from({ length: far }, (_, index) => world.segment(`server network ${index}`));
    const core = world.segment('core');
    for (const one of mine) {
      this.attach(this.client, one);
      one.join(core, { forward: between(), backward: between() });
    }
    for (const other of theirs) {
      this.attach(this.server, other);
      other.join(core);
    }
    this.client.forward(this.server.address(family));
    const service = story.service(1);
    story.serve(this.server, service, () => story.plan(length, plan));
    this.encounter = story.visit(this.client, service, story.plan(length, plan), { timeout: 120_000 });
    world.run({ for: milliseconds(120_000), until: () => this.encounter.accepted.length === 1 });
  }

  /** From now on nothing passes the interface, in either direction, and nobody is told. */
  silence(networkInterface: SimulatedInterface): void {
    this.holes.get(networkInterface)!.shut = true;
  }

  private attach(host: SimulatedHost, segment: Segment): void {
    const hole = Blackhole.manual();
    this.holes.set(this.story.world.attach(host, segment, { outbound: [hole], inbound: [hole] }), hole);
  }

  get ends(): readonly StreamActor[] {
    return [this.encounter.client, ...this.encounter.accepted];
  }

  /** Every move that an end was asked for, and what came of it. */
  get counts(): { readonly moves: number; readonly failed: number } {
    const sum = (of: (end: StreamActor) => number): number => this.ends.reduce((total, end) => total + of(end), 0);
    return { moves: sum((end) => end.moves), failed: sum((end) => end.failedMoves) };
  }

  /** Runs until `end` is told of one move more, of either outcome. */
  awaitMove(end: StreamActor): void {
    const before = end.moves + end.failedMoves;
    const isOver = (): boolean => end.moves + end.failedMoves > before || end.isClosed;
    this.story.world.run({ for: milliseconds(60_000), until: isOver });
  }
}

/** An interface of the end's host that its flow does not use now. */
export function otherInterface(story: Story, end: StreamActor): string {
  const local = end.handle!.localAddress!;
  const others = end.host.interfaces.filter((one) => one.isUp && !one.has(local));
  return story.chance.pick(others).name;
}

/** Any address of the end's host, of either family, that its flow does not use now. */
export function otherAddress(story: Story, end: StreamActor): NetworkAddress {
  const local = end.handle!.localAddress!;
  const all = end.host.interfaces.flatMap((one) => one.addresses.map(({ address }) => address));
  return story.chance.pick(all.filter((address) => !address.sameIp(local)));
}
