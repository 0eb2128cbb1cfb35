// Randomized stories of datagrams: unconnected and connected, of all sizes, on clean and on bad networks.

import { ErrorCode } from '../../lib/errors';
import { Delay } from '../../lib/sim/elements/delay';
import type { SimulatedHost } from '../../lib/sim/simulated-host';
import { milliseconds } from '../../lib/time/instant';
import { type ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import type { Chance } from './chance';
import { checkNothingLeft, expectThat } from './checkers';
import { DatagramActor, Post } from './datagram-actor';
import { badDirection } from './random-path';
import { type Story, stories } from './story';

stories('datagrams on a clean LAN: each arrives, once', 4000, 30, (story) => {
  const { post, hosts, actors } = datagramStory(story, true);
  const { world, chance } = story;
  const service = story.service(9);
  const server = actors.open('server', hosts[0]!, ServicePrefix.of(service), true);
  const clients = hosts.map((host, index) => actors.open(`client ${index}`, host, undefined));
  const connected = chance.happens(0.5);
  if (connected) for (const client of clients) client.handle.connect(service, {});
  world.run({ for: milliseconds(500) });
  for (const [index, client] of clients.entries()) {
    expectThat(client.isConnected === connected, `${client.name} is ${connected ? 'not ' : ''}connected`);
    sendSome(client, service, chance, connected, index === 0 ? LOOPBACK_MTU : ETHERNET_MTU);
  }
  world.run({ for: milliseconds(5000) });

  for (const { errors, name } of clients) {
    expectThat(
      errors.every(({ code }) => code === ErrorCode.messageTooLarge),
      `${name} was refused for its sizes only`,
    );
  }
  const sent = clients.flatMap((client) => client.sentKeys);
  expectSame(server.arrived, sent, 'what the server got');
  for (const client of clients)
    expectThat(client.arrived.length === client.sentKeys.length, `${client.name} got all answers`);
  expectSame(
    clients.flatMap((client) => client.arrived),
    server.sentKeys,
    'what the clients got',
  );
  expectThat(
    post.size === sent.length + server.sentKeys.length + countRefused(clients),
    'all letters are accounted for',
  );
  actors.close();
});

stories('datagrams on a bad LAN: nothing arrives that was not sent', 4100, 50, (story) => {
  const { hosts, actors } = datagramStory(story, false);
  const { world, chance } = story;
  const services = [story.service(1), story.service(2)];
  const instances = services.flatMap((service, index) => {
    const count = chance.integer(1, 2);
    return hosts.slice(0, count).map((host) => {
      return actors.open(`instance of ${index} on ${host.name}`, host, ServicePrefix.of(service), true);
    });
  });
  const clients = hosts.map((host, index) => actors.open(`client ${index}`, host, undefined));
  for (const [index, client] of clients.entries()) {
    const service = chance.pick(services);
    const mtu = index < 2 ? LOOPBACK_MTU : ETHERNET_MTU;
    const connected = chance.happens(0.5);
    if (connected) client.handle.connect(service, { timeout: 30_000 });
    for (let rounds = chance.integer(1, 5); rounds > 0; rounds--) {
      world.in(chance.duration(0, 20_000), () => {
        if (client.failure === undefined && client.isConnected === connected)
          sendSome(client, service, chance, connected, mtu);
      });
    }
  }
  // One instance goes away in between.
  world.in(chance.duration(0, 20_000), () => instances[0]!.handle.close());
  world.run({ for: milliseconds(40_000) });
  actors.close();
});

/** A LAN of two to four hosts, and the sockets on it. */
function datagramStory(story: Story, isClean: boolean) {
  const { world, chance } = story;
  const post = new Post();
  const link = chance.pick(['udp', 'raw'] as const);
  const hosts = ['a', 'b', 'c', 'd'].slice(0, chance.integer(2, 4)).map((name) => {
    const host = world.host(name, { link });
    const outbound = isClean ? [new Delay(chance.duration(0, 50))] : badDirection(chance);
    world.attach(host, world.segment('lan'), { outbound });
    return host;
  });
  const opened: DatagramActor[] = [];
  const actors = {
    open(name: string, host: SimulatedHost, prefix: ServicePrefix | undefined, echoes = false): DatagramActor {
      const actor = new DatagramActor(name, host, prefix, post, echoes);
      opened.push(actor);
      return actor;
    },
    close(): void {
      for (const actor of opened) actor.handle.close();
      world.run();
      for (const actor of opened) expectThat(actor.isClosed, `${actor.name} is closed`);
      checkNothingLeft(world);
    },
  };
  return { post, hosts, actors };
}

/** `mtu` is what a packet to the service, without IP header, may not be larger than. */
function sendSome(client: DatagramActor, service: ServiceID, chance: Chance, connected: boolean, mtu: number): void {
  for (let count = chance.integer(1, 10); count > 0; count--) {
    const size = chance.magnitude(8, 70_000);
    const error = client.send(size, service, connected);
    // The instance it was connected to is gone.
    if (connected && error?.code === ErrorCode.noRoute) return;
    if (size <= SURE_TO_FIT) expectThat(error === undefined, `${size} bytes fit, but ${error?.code}`);
    if (size > mtu) expectThat(error?.code === ErrorCode.messageTooLarge, `${size} bytes: ${error?.code}`);
  }
}

function countRefused(actors: readonly DatagramActor[]): number {
  return actors.reduce((sum, actor) => sum + actor.errors.length, 0);
}

function expectSame(actual: readonly number[], expected: readonly number[], what: string): void {
  const sorted = (keys: readonly number[]): string => [...keys].sort((a, b) => a - b).join();
  expectThat(sorted(actual) === sorted(expected), `${what}: ${sorted(actual)} instead of ${sorted(expected)}`);
}

/** IPv6's least MTU without any headers of ours; an Ethernet packet without IP header. */
const SURE_TO_FIT = 1280 - 200;
const ETHERNET_MTU = 1480;
/** What a host sends to itself. */
const LOOPBACK_MTU = 65_535;
