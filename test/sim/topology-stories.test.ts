// Randomized stories on other networks than one wire or one LAN: IPv6, several interfaces, a service router,
// a host that talks to itself, and links that take little at a time.

import { Delay } from '../../lib/sim/elements/delay';
import { Mtu } from '../../lib/sim/elements/mtu';
import { RandomLoss } from '../../lib/sim/elements/random-loss';
import { Rate } from '../../lib/sim/elements/rate';
import type { NetworkElement } from '../../lib/sim/network-element';
import { milliseconds, seconds } from '../../lib/time/instant';
import { ServicePrefix } from '../../lib/wire/service-id';
import { checkNothingLeft, expectThat } from './checkers';
import { DatagramActor, Post } from './datagram-actor';
import { badPath } from './random-path';
import { type Story, stories } from './story';

stories('IPv6, by a rule to the server', 6000, 20, (story) => {
  const { world, chance } = story;
  const link = chance.pick(['udp', 'raw'] as const);
  const [client, server] = [world.host('client', { link }), world.host('server', { link })];
  world.connect(client, server, badPath(chance), { families: [6] });
  client.forward(server.address(6));
  exchange(story, [client], [server], 4);
});

stories('clients of a service router, which only their first packets pass', 6100, 30, (story) => {
  const { world, chance } = story;
  // Two LANs with a router between them for IP, and a service router on the clients' side.
  const [near, far] = [world.segment('near'), world.segment('far')];
  near.join(far, { forward: lossy(story), backward: lossy(story) });
  const router = world.host('router', { forwards: true });
  world.attach(router, near, { outbound: lossy(story) });
  const clients = ['c1', 'c2'].map((name) => world.host(name));
  for (const client of clients) world.attach(client, near, { outbound: lossy(story) });
  const servers = ['s1', 's2', 's3'].slice(0, chance.integer(1, 3)).map((name) => world.host(name));
  for (const server of servers) {
    world.attach(server, far, { outbound: lossy(story) });
    router.forward(server.address(), ServicePrefix.of(story.service(1)), chance.integer(1, 5));
  }
  for (const client of clients) client.forward(router.address(), ServicePrefix.of(story.service(1)));
  exchange(story, clients, servers, 8);
  const sent = world.trace.entries.filter(({ event, host }) => event === 'sent' && host === 'router');
  expectThat(
    sent.every(({ packet }) => packet!.bytes.length < 300),
    'the router forwards no data',
  );
});

stories('a host that talks to itself', 6200, 20, (story) => {
  const { world, chance } = story;
  const host = world.host('host', { link: chance.pick(['udp', 'raw'] as const) });
  if (chance.happens(0.5)) world.attach(host, world.segment('lan'));
  exchange(story, [host], [host], 5);
});

stories('links that take little at a time', 6300, 30, (story) => {
  const { world, chance } = story;
  const sendBuffer = chance.magnitude(1, 50);
  const [client, server] = [world.host('client', { sendBuffer }), world.host('server', { sendBuffer })];
  world.connect(client, server, { forward: lossy(story), backward: lossy(story) });
  exchange(story, [client], [server], 6);
});

stories('two wires between two hosts: the service is asked on both', 6400, 20, (story) => {
  const { world } = story;
  const [client, server] = [world.host('client'), world.host('server')];
  world.connect(client, server, { forward: lossy(story), backward: lossy(story) });
  world.connect(client, server, { forward: lossy(story), backward: lossy(story) });
  exchange(story, [client], [server], 5);
});

stories('a path that carries smaller packets from one moment on, and says nothing', 6700, 10, (story) => {
  const { world, chance } = story;
  const [client, server] = [world.host('client'), world.host('server')];
  const mtu = new Mtu(1500);
  const line = (): NetworkElement[] => [...lossy(story), new Rate(1_000_000), mtu];
  world.connect(client, server, { forward: line(), backward: line() });
  const service = story.service(1);
  story.serve(server, service, () => story.plan(300_000));
  const { client: actor } = story.visit(client, service, story.plan(300_000), { timeout: 60_000 });
  world.in(chance.duration(1000, 2000), () => {
    mtu.mtu = chance.integer(1280, 1400);
  });
  world.run({ until: () => actor.isClosed });
  // 2.4 s for the bytes alone; a black hole that is not found out would take minutes.
  expectThat(world.now < 40_000, `it took ${world.now} ms`);
  story.end();
});

stories('a slow reader with a small window, whose updates are often lost', 6800, 10, (story) => {
  const { world, chance } = story;
  const [client, server] = [world.host('client'), world.host('server')];
  const loses = [new Delay(milliseconds(20)), new RandomLoss(0.3)];
  world.connect(client, server, { forward: loses, backward: [new Delay(milliseconds(20))] });
  const service = story.service(1);
  story.serve(server, service, () => story.plan(chance.integer(50_000, 100_000)));
  const slowness = { pauseEvery: 3000, pauseFor: chance.duration(500, 2000) };
  story.visit(client, service, story.plan(8, slowness), { receiveBuffer: 4096, timeout: 60_000 });
  story.end();
});

stories('many connections at once', 6500, 8, (story) => {
  const { world, chance } = story;
  const [client, server] = [world.host('client'), world.host('server')];
  world.connect(client, server, { forward: lossy(story), backward: lossy(story) });
  const service = story.service(1);
  story.serve(server, service, () => story.plan(chance.magnitude(8, 3000), { holds: true }));
  for (let count = 150; count > 0; count--) {
    story.visit(client, service, story.plan(chance.magnitude(8, 3000), { holds: true }), { timeout: 60_000 });
  }
  story.settle();
  story.agree();
  story.release();
  story.end();
});

stories('unconnected datagrams through a service router, and back', 6600, 20, (story) => {
  const { world, chance } = story;
  const [near, far] = [world.segment('near'), world.segment('far')];
  near.join(far);
  const [client, router, server] = [
    world.host('client'),
    world.host('router', { forwards: true }),
    world.host('server'),
  ];
  world.attach(client, near);
  world.attach(router, near);
  world.attach(server, far);
  client.forward(router.address());
  router.forward(server.address(), ServicePrefix.of(story.service(1)));
  const post = new Post();
  const echo = new DatagramActor('server', server, ServicePrefix.of(story.service(1)), post, true);
  const asker = new DatagramActor('client', client, undefined, post);
  server.forward(client.address(), ServicePrefix.of(asker.handle.localServiceID));
  const count = chance.integer(1, 20);
  for (let index = 0; index < count; index++) {
    expectThat(asker.send(chance.magnitude(8, 1200), story.service(1)) === undefined, 'it left');
  }
  world.run();
  expectThat(echo.arrived.length === count, `${echo.arrived.length} of ${count} arrived`);
  expectThat(asker.arrived.length === count, `${asker.arrived.length} of ${count} came back`);
  asker.handle.close();
  echo.handle.close();
  world.run();
  checkNothingLeft(world);
});

/** Every server offers service 1, and clients connect to it within two seconds, up to `most` times. */
function exchange(story: Story, clients: readonly Host[], servers: readonly Host[], most: number): void {
  const { world, chance } = story;
  for (const server of servers) story.serve(server, story.service(1), () => story.plan(chance.magnitude(8, 40_000)));
  for (let count = chance.integer(1, most); count > 0; count--) {
    const client = chance.pick(clients);
    world.in(chance.duration(0, 2000), () => {
      story.visit(client, story.service(1), story.plan(chance.magnitude(8, 40_000)), { timeout: 120_000 });
    });
  }
  world.run({ for: seconds(2) });
  story.end();
  for (const { client } of story.encounters) expectThat(client.isComplete, `${client.describe()} is complete`);
}

type Host = ReturnType<Story['world']['host']>;

function lossy({ chance }: Story): NetworkElement[] {
  return [new Delay(milliseconds(chance.fraction(0, 30))), new RandomLoss(chance.fraction(0, 0.08))];
}
