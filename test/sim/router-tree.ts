// A tree of service routers on one LAN - a root, routers below it, hosts below those - in which instances and hosts
// and routers come and go; and what every router's table must then say.

import type { ListenerHandle } from '../../lib/driver/handles';
import { Jitter } from '../../lib/sim/elements/jitter';
import { RandomLoss } from '../../lib/sim/elements/random-loss';
import type { NetworkElement } from '../../lib/sim/network-element';
import type { SimulatedHost } from '../../lib/sim/simulated-host';
import { PICKER_NAMES, type PickerName } from '../../lib/table/pickers/picker-names';
import { DEMUX_PRIORITY, type ForwardRule } from '../../lib/table/service-rule';
import { milliseconds } from '../../lib/time/instant';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import type { Story } from './story';

export interface TreeSize {
  readonly routers: number;
  readonly hosts: number;
  /** Services each of which any host may offer; and as many of each router's own group. */
  readonly services: number;
  /** Share of the packets that are lost. */
  readonly loss: number;
}

interface Instance {
  readonly prefix: ServicePrefix;
  readonly weight: number;
  readonly picker: PickerName | undefined;
  listener: ListenerHandle | undefined;
}

interface Leaf {
  readonly host: SimulatedHost;
  readonly router: number;
  readonly instances: Instance[];
}

/** Rules of a table, as text: prefix, address, weight, and the picker that is wished. */
export type Rules = ReadonlySet<string>;

export class RouterTree {
  readonly root: SimulatedHost;
  readonly routers: SimulatedHost[] = [];
  readonly leaves: Leaf[] = [];
  private readonly aggregates: ServicePrefix[] = [];

  constructor(
    private readonly story: Story,
    private readonly size: TreeSize,
  ) {
    const { world } = story;
    this.root = world.host('root', { hierarchy: { isRouter: true } });
    this.attach(this.root);
    for (let index = 0; index < size.routers; index++) {
      const aggregate = ServicePrefix.of(this.service(index + 1, 0), GROUP_BITS);
      this.aggregates.push(aggregate);
      const hierarchy = { isRouter: true, router: this.root.address(), aggregates: [aggregate] };
      const router = world.host(`router${index}`, { hierarchy });
      this.attach(router);
      this.routers.push(router);
    }
    for (let index = 0; index < size.hosts; index++) {
      const router = index % size.routers;
      const hierarchy = { router: this.routers[router]!.address() };
      const host = world.host(`host${index}`, { hierarchy });
      this.attach(host);
      this.leaves.push({ host, router, instances: [] });
    }
  }

  // ---- what may happen ----

  /** One more instance of some service on some host that runs. */
  join(leaf = this.story.chance.pick(this.leaves)): void {
    const { chance } = this.story;
    // Of the group that its router announces as one prefix, or of the one that all share.
    const group = chance.happens(0.5) ? leaf.router + 1 : 0;
    const id = this.service(group, chance.integer(1, this.size.services));
    const prefix = chance.happens(0.1) ? ServicePrefix.of(id, 200) : ServicePrefix.of(id);
    if (!leaf.host.isRunning || leaf.instances.some((instance) => instance.prefix.equals(prefix))) return;
    const picker = chance.pick([undefined, ...PICKER_NAMES]);
    const instance: Instance = { prefix, weight: chance.integer(1, 2000), picker, listener: undefined };
    leaf.instances.push(instance);
    this.listen(leaf, instance);
  }

  leave(leaf = this.story.chance.pick(this.leaves)): void {
    if (!leaf.host.isRunning || leaf.instances.length === 0) return;
    const index = this.story.chance.integer(0, leaf.instances.length - 1);
    const [instance] = leaf.instances.splice(index, 1);
    instance!.listener!.close();
  }

  /** A host or a router ends, with a goodbye or without, and perhaps comes back. */
  end(host: SimulatedHost, returns: boolean): void {
    const { chance, world } = this.story;
    if (!host.isRunning) return;
    if (chance.happens(0.5)) host.stop();
    else host.crash();
    if (returns) world.in(chance.duration(20, 3000), () => this.restart(host));
  }

  /** With the same sockets as before. */
  restart(host: SimulatedHost): void {
    if (host.isRunning) return;
    host.start();
    const leaf = this.leaves.find((each) => each.host === host);
    for (const instance of leaf?.instances ?? []) this.listen(leaf!, instance);
  }

  /** Two hosts of the tree do not hear each other for a while, or one of them does not hear the other. */
  cut(a: string, b: string): void {
    const { world, chance } = this.story;
    const directions = chance.happens(0.5)
      ? [[a, b]]
      : [
          [a, b],
          [b, a],
        ];
    for (const [from, to] of directions) world.partition.block(from!, to!);
    world.in(chance.duration(100, 6000), () => {
      for (const [from, to] of directions) world.partition.unblock(from!, to!);
    });
  }

  /** The host has another address from now on, and not the one it had. */
  renumber({ host }: Leaf = this.story.chance.pick(this.leaves)): void {
    const { world } = this.story;
    host.interfaces[0]!.renumber(world.segment('lan').nextAddresses());
  }

  // ---- what must hold then ----

  /** What is wrong with the tables: nothing, once all is quiet. */
  faults(): string[] {
    const expected = new Map<SimulatedHost, Rules>();
    for (const [index, router] of this.routers.entries()) expected.set(router, this.expectedOf(index));
    expected.set(this.root, this.expectedOfRoot());
    return [...expected].flatMap(([router, rules]) => (router.isRunning ? differences(router, rules) : []));
  }

  /** Services that somebody offers now. */
  offered(): ServiceID[] {
    return this.living().flatMap(({ instances }) => instances.map(({ prefix }) => prefix.base));
  }

  /** Hosts with a session to the router above. */
  living(): Leaf[] {
    return this.leaves.filter(({ host, router }) => host.isRunning && this.routers[router]!.isRunning);
  }

  private expectedOf(router: number): Rules {
    const rules = new Set<string>();
    for (const leaf of this.living()) {
      if (leaf.router !== router) continue;
      for (const instance of leaf.instances) rules.add(ruleText({ ...instance, address: addressOf(leaf.host) }));
    }
    return rules;
  }

  private expectedOfRoot(): Rules {
    const rules = new Set<string>();
    for (const [index, router] of this.routers.entries()) {
      const sums = new Map<string, { prefix: ServicePrefix; weight: number; wishes: (PickerName | undefined)[] }>();
      const below = this.living().filter((leaf) => leaf.router === index);
      for (const { prefix, weight, picker } of below.flatMap(({ instances }) => instances)) {
        const isUnder = this.aggregates[index]!.containsPrefix(prefix);
        const announced = isUnder ? this.aggregates[index]! : prefix;
        const known = sums.get(announced.toString());
        const wishes = [...(known?.wishes ?? []), isUnder ? undefined : picker];
        sums.set(announced.toString(), { prefix: announced, weight: (known?.weight ?? 0) + weight, wishes });
      }
      for (const { prefix, weight, wishes } of sums.values()) {
        rules.add(ruleText({ prefix, weight, address: addressOf(router), picker: mostWished(wishes) }));
      }
    }
    return rules;
  }

  private attach(host: SimulatedHost): void {
    const { world } = this.story;
    world.attach(host, world.segment('lan'), { outbound: this.losses() });
  }

  private losses(): NetworkElement[] {
    return this.size.loss === 0 ? [] : [new RandomLoss(this.size.loss), new Jitter(milliseconds(3))];
  }

  private listen({ host }: Leaf, instance: Instance): void {
    const { prefix, weight, picker } = instance;
    const options = picker === undefined ? { weight } : { weight, picker };
    instance.listener = host.listen(prefix, options, { connection: (handle) => handle.close() });
  }

  /** Items of one group lie under one /64 prefix. */
  private service(group: number, item: number): ServiceID {
    return ServiceID.fromWords([0xacce, group, item, 0, 0, 0, 0, 0]);
  }
}

function differences(router: SimulatedHost, expected: Rules): string[] {
  const found = new Set<string>();
  for (const rule of router.stack.sal.serviceTable.rules()) {
    if (rule.action !== 'forward' || rule.priority !== DEMUX_PRIORITY) continue;
    const { prefix, address, weight, picker } = rule as ForwardRule;
    found.add(ruleText({ prefix, address: address.toString(), weight, picker }));
  }
  const lost = [...expected].filter((rule) => !found.has(rule)).map((rule) => `${router.name} lost ${rule}`);
  const resurrected = [...found]
    .filter((rule) => !expected.has(rule))
    .map((rule) => `${router.name} still has ${rule}`);
  return [...lost, ...resurrected];
}

/** By most; of as many, the one that stands first in the list of pickers. */
function mostWished(wishes: readonly (PickerName | undefined)[]): PickerName | undefined {
  const voices = (name: PickerName): number => wishes.filter((wish) => wish === name).length;
  const [first] = [...PICKER_NAMES].sort((a, b) => voices(b) - voices(a));
  return voices(first!) === 0 ? undefined : first;
}

interface RuleFacts {
  readonly prefix: ServicePrefix;
  readonly address: string;
  readonly weight: number;
  readonly picker?: PickerName | undefined;
}

function ruleText({ prefix, address, weight, picker }: RuleFacts): string {
  return `${prefix} -> ${address} x ${weight}${picker === undefined ? '' : ` by ${picker}`}`;
}

/** Where the host is now. */
function addressOf(host: SimulatedHost): string {
  return host.address().toString();
}

export const LEASE = milliseconds(3000);
const GROUP_BITS = 64;
