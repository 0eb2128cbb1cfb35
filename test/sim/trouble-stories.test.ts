// Randomized stories of hosts and networks in trouble: paused, crashed, cut off; and of listeners that come
// and go. What a crash ends may end anyhow, but with the right bytes; all else has to come to its good end.

import { Delay } from '../../lib/sim/elements/delay';
import { RandomLoss } from '../../lib/sim/elements/random-loss';
import type { SimulatedHost } from '../../lib/sim/simulated-host';
import { milliseconds } from '../../lib/time/instant';
import { expectThat } from './checkers';
import { type Story, stories } from './story';
import type { StreamPlan } from './stream-actor';

stories('hosts pause, interfaces go down, the LAN is cut, all for a while', 5000, 30, (story) => {
  const { world, chance } = story;
  const { servers, clients } = lan(story);
  const service = story.service(5);
  for (const server of servers) story.serve(server, service, () => slowPlan(story));
  visitNowAndThen(story, clients, 12);

  const hosts = [...servers, ...clients];
  const troubles: readonly ((host: SimulatedHost) => () => void)[] = [
    (host) => {
      host.pause();
      return () => host.resume();
    },
    (host) => {
      host.interfaces[0]!.down();
      return () => host.interfaces[0]!.up();
    },
    (host) => {
      for (const other of hosts) if (other !== host) world.partition.block(host.name, other.name);
      return () => world.partition.heal();
    },
  ];
  for (let at = 0; at < 20_000; at += 4000) {
    world.in(milliseconds(at), () => {
      const end = chance.pick(troubles)(chance.pick(hosts));
      world.in(chance.duration(0, 3000), end);
    });
  }
  world.run({ for: milliseconds(20_000) });
  story.forgiveConnects();
  story.end();
});

stories('servers crash and start again', 5100, 30, (story) => {
  const { world, chance } = story;
  const { servers, clients } = lan(story);
  const service = story.service(5);
  const serve = (host: SimulatedHost): void => {
    story.serve(host, service, () => slowPlan(story));
  };
  servers.forEach(serve);
  visitNowAndThen(story, clients, 12);
  for (let at = 2000; at < 20_000; at += 6000) {
    world.in(milliseconds(at), () => {
      const host = chance.pick(servers);
      story.crash(host);
      world.in(chance.duration(0, 4000), () => {
        host.start();
        serve(host);
      });
    });
  }
  world.run({ for: milliseconds(30_000) });
  story.forgiveConnects();
  story.end();
});

stories('listeners come and go', 5200, 30, (story) => {
  const { world, chance } = story;
  const { servers, clients } = lan(story);
  const service = story.service(5);
  const serve = (host: SimulatedHost): void => {
    const plan = () => slowPlan(story);
    const listener = story.serve(host, service, plan, { backlog: chance.integer(1, 10) });
    world.in(chance.duration(0, 8000), () => {
      listener.close();
      world.in(chance.duration(0, 2000), () => {
        if (world.now < 20_000) serve(host);
      });
    });
  };
  servers.forEach(serve);
  visitNowAndThen(story, clients, 20);
  world.run({ for: milliseconds(30_000) });
  // A connection that waited to be accepted when its listener closed is reset.
  for (const encounter of story.encounters) {
    const { client, accepted } = encounter;
    encounter.isDisturbed = accepted.length === 0;
    const isReasonable =
      client.error === undefined || ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT'].includes(client.error.code);
    expectThat(isReasonable, `${client.describe()} failed with a reason`);
  }
  story.end();
});

/** Two servers and two clients on a LAN that loses a little. */
function lan({ world, chance }: Story): { servers: SimulatedHost[]; clients: SimulatedHost[] } {
  const link = chance.pick(['udp', 'raw'] as const);
  const [s1, s2, c1, c2] = ['s1', 's2', 'c1', 'c2'].map((name) => {
    const host = world.host(name, { link });
    const outbound = [new Delay(chance.duration(0, 40)), new RandomLoss(chance.fraction(0, 0.05))];
    world.attach(host, world.segment('lan'), { outbound });
    return host;
  });
  return { servers: [s1!, s2!], clients: [c1!, c2!] };
}

/** Takes so long that trouble finds it at work, and probes, so that a peer that is gone is found out. */
function slowPlan(story: Story): StreamPlan {
  const { chance } = story;
  const lingers = chance.duration(0, 10_000);
  const slowness = { pauseEvery: chance.magnitude(500, 3000), pauseFor: chance.duration(100, 2000) };
  return story.plan(chance.magnitude(1000, 40_000), { ...slowness, lingers, keepAlive: 3000 });
}

/** Connects within the first 20 seconds. */
function visitNowAndThen(story: Story, clients: readonly SimulatedHost[], most: number): void {
  const { world, chance } = story;
  for (let count = chance.integer(1, most); count > 0; count--) {
    const client = chance.pick(clients);
    world.in(chance.duration(0, 20_000), () => {
      story.visit(client, story.service(5), slowPlan(story));
    });
  }
}
