// Clients and services behind translators, with a service router that both reach (goal R6): the 16 pairs of {none, open,
// moderate, strict}, as docs/reliability.md lists them. Those that do not connect yet are here too, with what is in the way.

import { describe, expect, it } from 'vitest';
import { Delay } from '../../lib/sim/elements/delay';
import type { Segment } from '../../lib/sim/segment';
import type { HostOptions, SimulatedHost } from '../../lib/sim/simulated-host';
import { milliseconds, seconds } from '../../lib/time/instant';
import { NAT_KINDS, NatBox } from './nat-box';
import { Story } from './story';
import type { StreamActor } from './stream-actor';

type Kind = 'none' | keyof typeof NAT_KINDS;

/**
 * `direct`: the two ends speak to each other from the first answer on. `relayed`: the answer to the first packet comes
 * through the router (`relayReplies`), and the rest directly. `unregistered`: the router cannot answer the server's
 * registration by the port that it was asked at, so nobody learns of the service.
 */
type Outcome = 'direct' | 'relayed' | 'unregistered';

const KINDS: readonly Kind[] = ['none', 'open', 'moderate', 'strict'];

function outcomeOf(client: Kind, server: Kind): Outcome {
  if (server === 'moderate' || server === 'strict') return 'unregistered';
  return client === 'moderate' || client === 'strict' ? 'relayed' : 'direct';
}

const pairs = KINDS.flatMap((client) => KINDS.map((server) => [client, server, outcomeOf(client, server)] as const));

describe('a client and a service behind translators', () => {
  it.each(pairs)('client %s, service %s: %s', (client, server, outcome) => {
    const alone = meet(client, server, false);
    const helped = meet(client, server, true);
    expect([alone.isComplete, helped.isComplete]).toEqual(
      {
        direct: [true, true],
        relayed: [false, true],
        unregistered: [false, false],
      }[outcome],
    );
    expect([alone.registered, helped.registered]).toEqual(outcome === 'unregistered' ? [0, 0] : [1, 1]);
    if (outcome === 'unregistered') expect(alone.filteredAtServer).toBeGreaterThan(0);
    if (outcome === 'relayed') expect(alone.filteredAtClient).toBeGreaterThan(0);
    // The router passes first packets and their answers on, and no data.
    expect(Math.max(alone.largestByRouter, helped.largestByRouter)).toBeLessThan(300);
  });
});

describe('a client that moves from behind one translator to behind another', () => {
  it.each(KINDS.flatMap((from) => KINDS.map((to) => [from, to] as const)))('%s -> %s: all arrives', (from, to) => {
    const place = new Place(31_000);
    const { story } = place;
    story.world.tell(() => {
      const server = place.host('server', 'open', { hierarchy: { router: place.router.address() } });
      const client = place.host('client', from);
      place.router.stack.setRelaying(true);
      const plan = { chunk: 1000, every: milliseconds(10), keepAlive: 5000 };
      const actor = place.visit(client.host, server.host, plan);
      story.world.run({ for: milliseconds(400) });
      expect(actor.isConnected && !actor.isEnded).toBe(true);
      client.host.interfaces[0]!.down();
      place.attach(client.host, place.network('the next network', to).inside);
      story.world.run({ for: seconds(30), until: () => actor.isClosed });
      expect(actor.isComplete, actor.describe()).toBe(true);
      expect(actor.moves).toBeGreaterThan(0);
    });
  });
});

/** The public network with a router on it, and whatever is behind translators. */
class Place {
  readonly story: Story;
  readonly outside: Segment;
  readonly router: SimulatedHost;

  constructor(seed: number) {
    this.story = new Story(seed);
    const { world } = this.story;
    this.outside = world.segment('public');
    this.router = world.host('router', { hierarchy: { isRouter: true }, controller: NOBODY });
    this.attach(this.router, this.outside);
  }

  host(name: string, kind: Kind, options: HostOptions = {}) {
    const host = this.story.world.host(name, { controller: NOBODY, ...options });
    const { inside, box } = this.network(`the network of the ${name}`, kind);
    this.attach(host, inside);
    return { host, box };
  }

  network(name: string, kind: Kind): { inside: Segment; box: NatBox | undefined } {
    if (kind === 'none') return { inside: this.outside, box: undefined };
    const box = new NatBox(this.story, name, NAT_KINDS[kind], this.outside);
    return { inside: box.inside, box };
  }

  attach(host: SimulatedHost, segment: Segment): void {
    this.story.world.attach(host, segment, { outbound: [new Delay(milliseconds(10))], families: [4] });
  }

  /** The service is registered, if it can be, and the client connects to it. */
  visit(client: SimulatedHost, server: SimulatedHost, wishes: object): StreamActor {
    const { story, router } = this;
    client.forward(router.address());
    const plan = () => story.plan(100_000, wishes);
    story.serve(server, story.service(1), plan);
    story.world.run({ for: seconds(2) });
    return story.visit(client, story.service(1), plan(), { timeout: 10_000 }).client;
  }
}

function meet(clientKind: Kind, serverKind: Kind, relays: boolean) {
  const place = new Place(30_000);
  const { router, story } = place;
  router.stack.setRelaying(relays);
  const server = place.host('server', serverKind, { hierarchy: { router: router.address() } });
  const client = place.host('client', clientKind);
  const { world } = story;
  let largestByRouter = 0;
  const actor = place.visit(client.host, server.host, { chunk: 5000, keepAlive: 5000 });
  world.run({ for: seconds(30), until: () => actor.isClosed });
  for (const { event, host, packet } of world.trace.entries) {
    if (event === 'sent' && host === 'router') largestByRouter = Math.max(largestByRouter, packet!.bytes.length);
  }
  return {
    isComplete: actor.isComplete,
    registered: [...router.stack.sal.serviceTable.rules()].filter(({ action }) => action === 'forward').length,
    filteredAtClient: client.box?.filtered ?? 0,
    filteredAtServer: server.box?.filtered ?? 0,
    largestByRouter,
  };
}

/** Asks nobody by broadcast. */
const NOBODY = () => ({ handleEvent() {}, pollCommand: () => undefined });
