// Two hosts, each in networks of its own, and a service router in the middle that does not move; and one stream between
// the hosts, both of which are to change their addresses at the same time. Neither leaves anything behind.

import { UPSTREAM_PRIORITY } from '../../lib/controller/policies/upstream-route';
import type { NetworkElement } from '../../lib/sim/network-element';
import type { HostOptions, SimulatedHost } from '../../lib/sim/simulated-host';
import { DEFAULT_RULE_WEIGHT } from '../../lib/table/service-rule';
import { type Duration, type Instant, milliseconds } from '../../lib/time/instant';
import type { NetworkAddress } from '../../lib/wire/network-address';
import { ServicePrefix } from '../../lib/wire/service-id';
import type { Encounter } from './checkers';
import type { Firewall } from './nat';
import type { Story } from './story';
import type { StreamActor, StreamPlan } from './stream-actor';

export interface MeetingOptions {
  /** What each packet meets between a host and the middle, in one direction. */
  readonly between?: () => NetworkElement[];
  readonly plan?: Partial<StreamPlan>;
  readonly length?: number;
  /** Before each host; default none. */
  readonly firewall?: () => Firewall;
  /** Of each host; default 1. With several the stream has several flows. */
  readonly interfaces?: number;
  /** Of the hosts; the router has both. */
  readonly families?: readonly (4 | 6)[];
  /**
   * How the hosts know the router: by a rule of the client's, because both are registered there, or because one of them
   * is, and connects, or is connected to, without it.
   */
  readonly known?: 'rule' | 'registered' | 'client' | 'server';
}

export class MeetingWorld {
  readonly router: SimulatedHost;
  readonly client: SimulatedHost;
  readonly server: SimulatedHost;
  readonly encounter: Encounter;

  private readonly families: readonly (4 | 6)[];

  constructor(
    readonly story: Story,
    options: MeetingOptions,
  ) {
    const {
      between = () => [],
      plan = {},
      length = 100_000_000,
      families = [4, 6],
      interfaces = 1,
      known = 'rule',
    } = options;
    const { world } = story;
    const [family] = families;
    this.families = families;
    this.router = world.host('router', known === 'rule' ? { forwards: true } : { hierarchy: { isRouter: true } });
    world.attach(this.router, world.segment('core'));
    const below = (who: typeof known): HostOptions =>
      known === 'registered' || known === who ? { hierarchy: { router: this.router.address(family) } } : {};
    this.client = world.host('client', below('client'));
    this.server = world.host('server', below('server'));
    for (const host of [this.client, this.server]) {
      for (let index = 0; index < interfaces; index++) {
        const network = world.segment(`${host.name} ${index}`);
        network.join(world.segment('core'), { forward: between(), backward: between() });
        const wall = options.firewall?.();
        const through = wall === undefined ? {} : { outbound: [wall.outbound], inbound: [wall.inbound] };
        world.attach(host, network, { families, ...through });
      }
    }
    if (known === 'rule') {
      askOnly(this.client, this.router.address(family));
      this.router.forward(this.server.address(family));
    } else if (known !== 'registered') askOnly(this.client, this.server.address(family));
    const service = story.service(1);
    story.serve(this.server, service, () => story.plan(length, plan));
    if (known !== 'rule') world.run({ for: milliseconds(3000) });
    this.encounter = story.visit(this.client, service, story.plan(length, plan), {
      timeout: 120_000,
      multipath: interfaces > 1,
    });
    world.run({ for: milliseconds(120_000), until: () => this.encounter.accepted.length === 1 });
  }

  get ends(): readonly StreamActor[] {
    return [this.encounter.client, ...this.encounter.accepted];
  }

  /** The host has no address for so long, and then another one. Gives the time at which it has that. */
  move(host: SimulatedHost, dark: Duration): Instant {
    const { world } = this.story;
    for (const one of host.interfaces) one.renumber([]);
    world.in(dark, () => {
      for (const [index, one] of host.interfaces.entries()) {
        one.renumber(world.segment(`${host.name} ${index}`).nextAddresses(this.families));
      }
    });
    return (world.now + dark) as Instant;
  }

  /** Runs to the end; hosts that are registered would go on to say so for ever. */
  end(): void {
    const { story } = this;
    story.world.run({ for: milliseconds(20_000) });
    for (const host of [this.client, this.server, this.router]) if (host.hierarchy !== undefined) host.stop();
    story.world.run();
  }

  /** Runs until both ends have received something that is new since now. */
  untilBothHear(within: Duration): boolean {
    const before = this.ends.map(({ received }) => received);
    const hasAll = (): boolean => this.ends.every(({ received }, index) => received > before[index]!);
    this.story.world.run({ for: within, until: hasAll });
    return hasAll();
  }
}

/** First packets go there alone, not to a router or a broadcast address. */
function askOnly(host: SimulatedHost, to: NetworkAddress): void {
  const common = { action: 'forward', scope: 'network', broadcast: false, link: 1 } as const;
  const priorities = { priority: UPSTREAM_PRIORITY + 1, weight: DEFAULT_RULE_WEIGHT };
  host.command({ kind: 'addRule', rule: { ...common, ...priorities, prefix: ServicePrefix.any, address: to } });
}
