// Ways to find a service (§4.3) on a network that loses packets: on demand at the client, by a server in the network
// that asks in its place, by broadcast, and one behind the other.

import { expect } from 'vitest';
import { ControllerSet } from '../../lib/controller/controller-set';
import { Flooding } from '../../lib/controller/policies/flooding';
import { SILENT_OBSERVER, type StreamObserver } from '../../lib/driver/handles';
import { Delay } from '../../lib/sim/elements/delay';
import { RandomLoss } from '../../lib/sim/elements/random-loss';
import type { NetworkElement } from '../../lib/sim/network-element';
import type { SimulatedHost } from '../../lib/sim/simulated-host';
import { after, milliseconds, seconds } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ServicePrefix } from '../../lib/wire/service-id';
import { expectThat } from './checkers';
import { Directory } from './directory';
import { type Story, stories } from './story';

const everything = ServicePrefix.any;

/** A host whose stack asks a directory for what it does not know. */
function asking(story: Story, name: string, options: { forwards?: boolean; scope?: 'host' | 'network' } = {}) {
  let directory: Directory | undefined;
  const { scope = 'network', ...others } = options;
  const host = story.world.host(name, {
    ...others,
    controller: (link) => {
      directory = new Directory({ prefix: everything, link, scope });
      return directory;
    },
  });
  return { host, directory: directory! };
}

stories('a client that looks services up on demand', 7100, 25, (story) => {
  const { world, chance } = story;
  const { host: client, directory } = asking(story, 'client');
  const servers = ['s1', 's2', 's3'].slice(0, chance.integer(1, 3)).map((name) => world.host(name));
  for (const host of [client, ...servers]) world.attach(host, world.segment('lan'), { outbound: lossy(story) });
  const service = story.service(1);
  for (const server of servers) story.serve(server, service, () => story.plan(chance.magnitude(8, 5000)));
  directory.say(service, ...servers.map((server) => server.address()));
  directory.delay = chance.duration(1, 2000);
  for (let count = chance.integer(1, 30); count > 0; count--) {
    story.visit(client, service, story.plan(chance.magnitude(8, 5000)), { timeout: 60_000 });
  }
  story.end();
  expectThat(directory.asked.length === 1, `the directory was asked ${directory.asked.length} times`);
});

stories('an answer that ends is asked for anew, and what moved is found', 7150, 15, (story) => {
  const { world, chance } = story;
  const { host: client, directory } = asking(story, 'client');
  const [old, fresh] = [world.host('old'), world.host('fresh')];
  for (const host of [client, old, fresh]) world.attach(host, world.segment('lan'));
  const service = story.service(1);
  story.serve(old, service, () => story.plan(8));
  story.serve(fresh, service, () => story.plan(8));
  directory.say(service, old.address());
  directory.lifetime = seconds(chance.integer(1, 20));
  const first = story.visit(client, service, story.plan(8));
  world.run({ for: seconds(0.5) });
  directory.say(service, fresh.address());
  world.run({ for: directory.lifetime });
  const second = story.visit(client, service, story.plan(8));
  story.end();
  expect([first, second].map(({ accepted }) => accepted[0]?.host.name)).toEqual(['old', 'fresh']);
  expect(directory.asked).toHaveLength(2);
});

stories('what the directory does not know is refused at once, as long as that holds', 7200, 10, (story) => {
  const { world, chance } = story;
  const { host: client, directory } = asking(story, 'client');
  world.attach(client, world.segment('lan'));
  directory.delay = chance.duration(1, 500);
  const failures: { code: string; at: number }[] = [];
  const connect = () =>
    client.connect(
      story.service(1),
      {},
      watching((code) => failures.push({ code, at: world.now })),
    );
  const waiting = chance.integer(1, 20);
  const started = world.now;
  for (let count = 0; count < waiting; count++) connect();
  world.run({ for: seconds(1) });
  expect(failures).toHaveLength(waiting);
  for (const { code, at } of failures) expect([code, at]).toEqual(['ECONNREFUSED', after(started, directory.delay)]);
  const later = world.now;
  connect();
  world.run({ for: milliseconds(1) });
  expect(failures.at(-1)).toEqual({ code: 'ECONNREFUSED', at: later });
  expect(directory.asked).toHaveLength(1);
  world.run({ for: directory.lifetime });
  connect();
  world.run({ for: seconds(1) });
  expect(directory.asked).toHaveLength(2);
  expect(client.stack.sal.flowTable.size).toBe(0);
});

stories('a directory that is silent for a while, and connects that wait or give up', 7250, 20, (story) => {
  const { world, chance } = story;
  const { host: client, directory } = asking(story, 'client');
  const server = world.host('server');
  for (const host of [client, server]) world.attach(host, world.segment('lan'));
  const service = story.service(1);
  story.serve(server, service, () => story.plan(8));
  directory.say(service, server.address());
  const silence = chance.duration(100, 20_000);
  directory.beSilent(after(world.now, silence));
  const patient = story.visit(client, service, story.plan(8), { timeout: 60_000 });
  const gone = client.connect(
    story.service(2),
    { timeout: 2000 },
    watching(() => {}),
  );
  world.run({ for: seconds(2.1) });
  expectThat(directory.aborted >= 1, 'nobody waits for the second service');
  expectThat(client.stack.sal.firstPackets.delayed.waiting <= 1, 'its connect waits no longer');
  gone.close();
  world.run({ for: seconds(30), until: () => patient.client.isConnected });
  // A question that nobody answers is asked again after 5 s and a pause, and the connect goes on with the answer.
  expectThat(world.now < silence + 8000, `it took ${world.now} ms after ${silence} ms of silence`);
  story.end();
});

stories('a server in the network that looks up in the place of its clients, and forwards', 7300, 25, (story) => {
  const { world, chance } = story;
  const [near, far] = [world.segment('near'), world.segment('far')];
  near.join(far, { forward: lossy(story), backward: lossy(story) });
  const { host: lookup, directory } = asking(story, 'lookup', { forwards: true });
  world.attach(lookup, near);
  const clients = ['c1', 'c2', 'c3'].map((name) => world.host(name, { controller: () => new ControllerSet() }));
  for (const client of clients) {
    world.attach(client, near, { outbound: lossy(story) });
    client.forward(lookup.address());
  }
  const server = world.host('server');
  world.attach(server, far, { outbound: lossy(story) });
  const services = [1, 2, 3].map((number) => story.service(number));
  for (const service of services) {
    story.serve(server, service, () => story.plan(chance.magnitude(8, 20_000)));
    directory.say(service, server.address());
  }
  directory.delay = chance.duration(1, 1000);
  for (let count = chance.integer(3, 30); count > 0; count--) {
    const plan = story.plan(chance.magnitude(8, 20_000));
    story.visit(chance.pick(clients), chance.pick(services), plan, { timeout: 60_000 });
  }
  story.end();
  expectThat(directory.asked.length <= services.length, `it was asked ${directory.asked.length} times`);
  // First packets only: what follows goes from end to end.
  const sent = world.trace.entries.filter(({ event, host }) => event === 'sent' && host === 'lookup');
  expectThat(
    sent.every(({ packet }) => packet!.bytes.length < 300),
    'it forwards no data',
  );
});

stories('that server refuses for its clients what nobody knows', 7350, 5, (story) => {
  const { world } = story;
  const { host: lookup, directory } = asking(story, 'lookup', { forwards: true });
  const client = world.host('client', { controller: () => new ControllerSet() });
  for (const host of [lookup, client]) world.attach(host, world.segment('lan'));
  client.forward(lookup.address());
  const failures: string[] = [];
  client.connect(
    story.service(1),
    {},
    watching((code) => failures.push(code)),
  );
  world.run({ for: seconds(2) });
  expect(failures).toEqual(['ECONNREFUSED']);
  expect(directory.asked).toHaveLength(1);
});

stories('broadcast, 20 instances: the first answer wins, and the others hear it at once', 7400, 20, (story) => {
  const { world, chance } = story;
  const client = world.host('client');
  const servers = Array.from({ length: 20 }, (_, index) => world.host(`s${index}`));
  for (const host of [client, ...servers]) {
    world.attach(host, world.segment('lan'), { outbound: [new Delay(chance.duration(0.1, 3))] });
  }
  const service = story.service(1);
  for (const server of servers) story.serve(server, service, () => story.plan(1000, { holds: true }));
  const visit = story.visit(client, service, story.plan(1000, { holds: true }));
  story.settle();
  expect(visit.accepted).toHaveLength(1);
  const winner = visit.accepted[0]!.host;
  // Long before a half-open request would time out: the losers' are gone, and the client has one flow.
  world.run({ for: milliseconds(20) });
  for (const server of servers) {
    expect([server.name, server.stack.sal.flowTable.size]).toEqual([server.name, server === winner ? 1 : 0]);
  }
  expect(client.stack.sal.flowTable.size).toBe(1);
  story.agree();
  story.release();
  story.end();
});

// P35: who does not know asks all on the segment; the segment's router has what is asked looked up at the egress of its
// site; the egress knows the router of the other site, and that its instance.
stories('broadcast, a local router, a lookup at the egress, a remote router, an instance', 7500, 20, (story) => {
  const { world, chance } = story;
  const [lan, core, remote] = ['lan', 'core', 'remote'].map((name) => world.segment(name)) as [
    Segment,
    Segment,
    Segment,
  ];
  lan.join(core, { forward: lossy(story), backward: lossy(story) });
  core.join(remote, { forward: lossy(story), backward: lossy(story) });
  const service = story.service(1);
  const prefix = ServicePrefix.of(service, 200);
  const clients = ['c1', 'c2'].map((name) => world.host(name));
  const local = world.host('local', { forwards: true });
  const { host: egress, directory } = asking(story, 'egress', { forwards: true });
  const distant = world.host('distant', { forwards: true });
  const servers = ['s1', 's2'].map((name) => world.host(name));
  for (const host of [...clients, local]) world.attach(host, lan, { outbound: lossy(story) });
  world.attach(egress, core);
  for (const host of [distant, ...servers]) world.attach(host, remote);
  // Scope 'host': this router answers for its segment, what was asked by broadcast included.
  local.command({ kind: 'addRule', rule: { ...forwardTo(egress, prefix), scope: 'host' } });
  directory.say(service, distant.address());
  directory.delay = chance.duration(1, 200);
  for (const server of servers) {
    distant.command({ kind: 'addRule', rule: forwardTo(server, ServicePrefix.of(service)) });
    story.serve(server, service, () => story.plan(chance.magnitude(8, 20_000)));
  }
  for (let count = chance.integer(1, 12); count > 0; count--) {
    story.visit(chance.pick(clients), service, story.plan(chance.magnitude(8, 20_000)), { timeout: 60_000 });
  }
  story.end();
  expectThat(directory.asked.length === 1, `the directory was asked ${directory.asked.length} times`);
});

type Segment = ReturnType<Story['world']['segment']>;

function forwardTo(host: SimulatedHost, prefix: ServicePrefix) {
  const terms = { priority: 10, weight: 1, link: 1, broadcast: false } as const;
  return { action: 'forward', prefix, address: host.address(), scope: 'network', ...terms } as const;
}

function lossy({ chance }: Story): NetworkElement[] {
  return [new Delay(chance.duration(0.1, 20)), new RandomLoss(chance.pick([0, 0.05]))];
}

function watching(failed: (code: string) => void): StreamObserver {
  return { ...SILENT_OBSERVER, failed: ({ code }) => failed(code) };
}

/** A host that floods what it offers and believes what others say; it asks nobody by broadcast. */
function flooding(story: Story, name: string) {
  const policies: Flooding[] = [];
  const host = story.world.host(name, {
    controller: () => new ControllerSet(),
    talking: (link, port) => {
      const policy = new Flooding({ link, port, random: SeededRandom.of(policies.length + name.length) });
      // Each run of the process is a later one.
      policy.start({ generation: 1000 + policies.length, port }, story.world.now);
      policies.push(policy);
      return [policy];
    },
  });
  const stop = (): void => {
    policies.at(-1)!.stop();
    host.runControllers();
    host.stop();
  };
  return { host, stop };
}

stories('flooding: tables know what is offered, and only that, when all is quiet', 7600, 25, (story) => {
  const { world, chance } = story;
  const floods = Array.from({ length: chance.integer(2, 6) }, (_, index) => flooding(story, `h${index}`));
  for (const { host } of floods) {
    world.attach(host, world.segment('lan'), { outbound: [new Delay(chance.duration(0.1, 30)), new RandomLoss(0.1)] });
  }
  const open = new Map<string, { host: SimulatedHost; close: () => void }>();
  for (let step = 0; step < 40; step++) {
    const { host, stop } = chance.pick(floods);
    const number = chance.integer(1, 6);
    const key = `${number} ${host.name}`;
    if (chance.happens(0.1)) {
      if (chance.happens(0.5)) stop();
      else host.crash();
      for (const [name, each] of open) if (each.host === host) open.delete(name);
      host.start();
    } else if (open.has(key)) {
      open.get(key)!.close();
      open.delete(key);
    } else {
      const listener = host.listen(ServicePrefix.of(story.service(number)), {}, { connection: (one) => one.reset() });
      open.set(key, { host, close: () => listener.close() });
    }
    world.run({ for: chance.duration(1, 3000) });
  }
  world.run({ for: seconds(40) });
  const expected = [...open.keys()].sort();
  for (const { host } of floods) {
    const addresses = new Map(floods.map((each) => [each.host.address().toString(), each.host.name]));
    const known = [...host.stack.sal.serviceTable.rules()].flatMap((rule) =>
      rule.action === 'forward'
        ? `${Number.parseInt(rule.prefix.base.toString().slice(-8), 16)} ${addresses.get(rule.address.toString())}`
        : [],
    );
    expect(known.sort()).toEqual(expected.filter((each) => !each.endsWith(` ${host.name}`)));
  }
});

stories('flooding: a connect needs no broadcast, and finds who listens a moment ago', 7650, 10, (story) => {
  const { world, chance } = story;
  const [client, server] = [flooding(story, 'client').host, flooding(story, 'server').host];
  for (const host of [client, server])
    world.attach(host, world.segment('lan'), { outbound: [new Delay(milliseconds(1))] });
  world.run({ for: seconds(chance.integer(1, 10)) });
  const service = story.service(1);
  const listener = story.serve(server, service, () => story.plan(chance.magnitude(8, 5000)));
  world.run({ for: milliseconds(110) });
  const visit = story.visit(client, service, story.plan(100));
  world.run({ for: seconds(2) });
  expect(visit.client.isConnected).toBe(true);
  listener.close();
  world.run({ for: milliseconds(110) });
  // Unlisted within the hold-off: who asks now hears that there is none.
  const failures: string[] = [];
  client.connect(
    service,
    {},
    watching((code) => failures.push(code)),
  );
  world.run({ for: seconds(1) });
  expect(failures).toEqual(['EHOSTUNREACH']);
});
