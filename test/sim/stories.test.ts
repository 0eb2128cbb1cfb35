// Randomized stories: each seed is a topology, then what happens on it. A failure prints its seed;
// SERVAL_SEED=n runs that one alone.

import { Delay } from '../../lib/sim/elements/delay';
import { path } from '../../lib/sim/path';
import { milliseconds } from '../../lib/time/instant';
import { badDirection, badPath } from './random-path';
import { type Story, stories } from './story';
import type { StreamPlan } from './stream-actor';

stories('one client and one server on a clean wire', 1, 20, (story) => {
  const { world, chance } = story;
  const [client, server] = [world.host('client'), world.host('server')];
  world.connect(client, server, path(new Delay(milliseconds(10))));

  const service = story.service(1);
  story.serve(server, service, () => story.plan(chance.magnitude(8, 300_000)));
  story.visit(client, service, story.plan(chance.magnitude(8, 300_000)));
  story.end();
});

stories('one client and one server on a bad wire', 1000, 100, (story) => {
  const { world, chance } = story;
  const link = chance.pick(['udp', 'raw'] as const);
  const [client, server] = [world.host('client', { link }), world.host('server', { link })];
  world.connect(client, server, badPath(chance));

  const service = story.service(1);
  story.serve(server, service, () => story.plan(chance.magnitude(8, 100_000), manners(story)), buffers(story));
  const options = { ...buffers(story), timeout: 120_000 };
  story.visit(client, service, story.plan(chance.magnitude(8, 100_000), manners(story)), options);
  story.end();
});

stories('many clients and several instances on a LAN', 2000, 60, (story) => {
  const { world, chance } = story;
  const lan = world.segment('lan');
  const link = chance.pick(['udp', 'raw'] as const);
  const join = (name: string) => {
    const host = world.host(name, { link });
    world.attach(host, lan, { outbound: badDirection(chance), inbound: [] });
    return host;
  };
  const servers = ['s1', 's2', 's3'].slice(0, chance.integer(1, 3)).map(join);
  const clients = ['c1', 'c2', 'c3'].slice(0, chance.integer(1, 3)).map(join);

  const service = story.service(7);
  for (const server of servers) {
    story.serve(server, service, () => story.plan(chance.magnitude(8, 20_000), { holds: true }), buffers(story));
  }
  for (let count = chance.integer(1, 10); count > 0; count--) {
    world.in(chance.duration(0, 3000), () => {
      const plan = story.plan(chance.magnitude(8, 20_000), { ...manners(story), holds: true });
      story.visit(chance.pick(clients), service, plan, { ...buffers(story), timeout: 120_000 });
    });
  }
  world.run({ for: milliseconds(3000) });
  story.settle();
  story.agree();
  story.release();
  story.end();
});

stories('resets, early closes, slow readers and half-open streams', 3000, 80, (story) => {
  const { world, chance } = story;
  const [client, server] = [world.host('client'), world.host('server')];
  world.connect(client, server, chance.happens(0.5) ? badPath(chance) : path(new Delay(chance.duration(0, 50))));

  const service = story.service(3);
  const ending = (): Partial<StreamPlan> => {
    return chance.pick<() => Partial<StreamPlan>>([
      () => ({ resetAfter: chance.magnitude(1, 20_000) }),
      () => ({ closeAfter: chance.magnitude(1, 20_000) }),
      () => ({ endsLast: true }),
      () => ({ pauseEvery: chance.magnitude(1000, 20_000), pauseFor: chance.duration(1, 2000) }),
      () => ({}),
    ])();
  };
  const plan = (more: Partial<StreamPlan>): StreamPlan => {
    return story.plan(chance.magnitude(8, 60_000), { ...more, keepAlive: 2000 });
  };
  story.serve(server, service, () => plan(ending()), buffers(story));
  for (let count = chance.integer(1, 6); count > 0; count--) {
    const mine = ending();
    // If both waited for the other's end, neither would come.
    const manner = mine.endsLast === true ? {} : mine;
    story.visit(client, service, plan(manner), { ...buffers(story), timeout: 120_000 });
  }
  story.end();
});

/** How an end speaks; one of the two has to begin, and it is the client when the server waits. */
function manners({ chance }: Story): Partial<StreamPlan> {
  return chance.happens(0.3) ? { pauseEvery: chance.magnitude(1000, 50_000), pauseFor: chance.duration(1, 1000) } : {};
}

function buffers({ chance }: Story): { sendBuffer?: number; receiveBuffer?: number } {
  const size = (): number => chance.magnitude(4096, 300_000);
  return {
    ...(chance.happens(0.5) ? { sendBuffer: size() } : {}),
    ...(chance.happens(0.5) ? { receiveBuffer: size() } : {}),
  };
}
