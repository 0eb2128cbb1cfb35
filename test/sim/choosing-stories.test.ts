// Instances that refuse, have died or hang, among others that are well: every connect succeeds, within bounds, straight
// from a client's own table and through routers; and those that are not well are found out, and come back.

import type { StreamHandle } from '../../lib/driver/handles';
import { SILENT_OBSERVER } from '../../lib/driver/handles';
import {
  CONTROL_TIMEOUT_INITIAL,
  OUTLIER_EJECTION_MAXIMUM,
  OUTLIER_PROBE_TIMEOUT,
  OUTLIER_SUSPICION,
} from '../../lib/limits';
import { Delay } from '../../lib/sim/elements/delay';
import type { SimulatedHost } from '../../lib/sim/simulated-host';
import type { World } from '../../lib/sim/world';
import { PICKER_NAMES } from '../../lib/table/pickers/picker-names';
import { type Instant, milliseconds, seconds } from '../../lib/time/instant';
import { ServicePrefix } from '../../lib/wire/service-id';
import { expectThat } from './checkers';
import { type Story, stories } from './story';

/** Every packet takes so long to each side of the segment: a round trip is four times of it. */
const DELAY = milliseconds(0.5);
const ROUND_TRIP = 4 * DELAY;

/** A SYN that is not answered, a probe that is not, and some time for packets. */
const LEARNING_TIME = CONTROL_TIMEOUT_INITIAL + OUTLIER_PROBE_TIMEOUT + 50;

const TROUBLES = {
  /** The host is there, and has no such service. */
  refuses: ({ listener }: Instance) => listener.close(),
  /** The process was killed: ICMP tells. */
  killed: ({ host }: Instance) => host.crash(),
  /** The host was switched off: nothing tells. */
  gone: ({ host }: Instance, world: World) => {
    world.segment('lan').detach(host.interfaces[0]!);
    host.crash();
  },
  /** The event loop is stuck. */
  hangs: ({ host }: Instance) => host.pause(),
} as const;
type Trouble = keyof typeof TROUBLES;

interface Instance {
  readonly host: SimulatedHost;
  readonly listener: { close(): void };
}

interface Site {
  readonly story: Story;
  readonly clients: readonly SimulatedHost[];
  /** From the clients on: what each hop knows leads to the next. */
  readonly routers: readonly (readonly SimulatedHost[])[];
  readonly instances: readonly Instance[];
  readonly attempts: Attempt[];
}

interface Attempt {
  readonly at: Instant;
  readonly by: SimulatedHost;
  took?: number;
  to?: string;
  failure?: string;
}

stories('no router: instances in trouble among the rules of a client', 9000, 24, (story) => {
  tell(story, 0);
});

stories('one router', 9100, 24, (story) => {
  tell(story, 1);
});

stories('two routers in a row, the second of them one of two', 9200, 24, (story) => {
  tell(story, 2);
});

/**
 * One of several instances is switched off without a word. Only those connects pay that met it before somebody knew:
 * until the first of them has waited for its answer, and a router has asked.
 */
stories('a silent death, no router', 9400, 12, (story) => {
  tellOfSilentDeath(story, 0);
});

stories('a silent death behind a router', 9420, 12, (story) => {
  tellOfSilentDeath(story, 1);
});

function tellOfSilentDeath(story: Story, depth: 0 | 1): void {
  const site = build(story, depth);
  const { world, chance } = story;
  connectFor(site, 300, 60);
  TROUBLES.gone(chance.pick(site.instances), world);
  connectFor(site, 3000, 600);
  world.run({ for: seconds(8) });
  const bound = CONTROL_TIMEOUT_INITIAL + 4 * ROUND_TRIP;
  for (const { took, failure } of site.attempts) {
    expectThat(failure === undefined && took !== undefined, `a connect failed with ${failure}`);
    expectThat(took! <= bound, `a connect took ${took} ms, more than one wait for an answer, ${bound}`);
  }
  const slow = site.attempts.filter(({ took }) => took! > 100).sort((one, other) => one.at - other.at);
  expectThat(slow.length > 0, 'nobody has met it');
  // Each client that chooses for itself finds out for itself; a router once for all of them.
  const learners = depth === 0 ? site.clients.map((client) => [client]) : [site.clients];
  const learningTime = CONTROL_TIMEOUT_INITIAL + (depth === 0 ? 0 : OUTLIER_SUSPICION + ROUND_TRIP);
  for (const clients of learners) {
    const [first, ...rest] = slow.filter(({ by }) => clients.includes(by));
    const late = rest.filter(({ at }) => at - first!.at > learningTime);
    expectThat(late.length === 0, `${late.length} connects waited that began ${learningTime} ms after the first`);
    if (depth > 0) continue;
    // They go on with the first of them, or when they have waited for as long as an answer takes at most.
    for (const { at, took } of rest) {
      const most = Math.max(CONTROL_TIMEOUT_INITIAL - (at - first!.at), OUTLIER_SUSPICION) + 4 * ROUND_TRIP;
      expectThat(took! <= most, `a connect waited for ${took} ms, and it was known after ${most}`);
    }
  }
  finish(site);
}

stories('connected datagrams', 9300, 12, (story) => {
  const site = build(story, story.chance.integer(0, 2));
  const { world, chance } = story;
  const sockets = site.instances.map(({ host, listener }) => {
    listener.close();
    return host.openDatagram(prefixOf(story), { message() {}, connected() {}, failed() {}, closed() {} });
  });
  const refusing = sockets.slice(0, chance.integer(1, sockets.length - 1));
  for (const socket of refusing) socket.close();
  const ended: string[] = [];
  for (const client of site.clients) {
    const observer = { message() {}, connected: () => ended.push('connected'), closed() {} };
    const socket = client.openDatagram(undefined, { ...observer, failed: (error) => ended.push(error.code) });
    socket.connect(story.service(1), {});
  }
  world.run({ for: milliseconds(refusalsBound(refusing.length)) });
  expectThat(ended.length === site.clients.length, `${ended.length} of ${site.clients.length} connects have ended`);
  expectThat(
    ended.every((outcome) => outcome === 'connected'),
    `datagram connects ended so: ${ended.join(' ')}`,
  );
});

/** One trouble after the other, connects all the time; then all is well again. */
function tell(story: Story, depth: number): void {
  const site = build(story, depth);
  const { world, chance } = story;
  const trouble = chance.pick(Object.keys(TROUBLES) as Trouble[]);
  const picker = chance.pick(PICKER_NAMES);
  for (const host of choosers(site)) host.command({ kind: 'setPicker', prefix: prefixOf(story), picker });
  connectFor(site, 500, 20);
  const inTrouble = site.instances.slice(0, chance.integer(1, site.instances.length - 1));
  for (const instance of inTrouble) TROUBLES[trouble](instance, world);
  connectFor(site, 8000, 40);
  world.run({ for: seconds(8) });
  for (const attempt of site.attempts) {
    expectThat(attempt.failure === undefined, `${trouble}, ${picker}: a connect failed with ${attempt.failure}`);
    expectThat(attempt.took !== undefined, `${trouble}, ${picker}: a connect did not end`);
    const bound = trouble === 'refuses' ? refusalsBound(inTrouble.length) : silenceBound(inTrouble.length);
    expectThat(attempt.took! <= bound, `${trouble}, ${picker}: a connect took ${attempt.took} ms, more than ${bound}`);
  }
  // Whoever chooses finds out each of them once: what begins later than that is not held up.
  const learned = learningTimes(site.attempts.filter(({ took }) => took! > 100));
  const most = inTrouble.length * [site.clients.length, 1, 2][depth]!;
  expectThat(learned.length <= most, `${trouble}, ${picker}: slow connects, again and again: ${learned.join(' ')}`);
  recover(site, trouble, inTrouble);
  finish(site);
}

/** When slow connects began that no other had begun shortly before: until then an instance may be found out. */
function learningTimes(slow: readonly Attempt[]): Instant[] {
  const times: Instant[] = [];
  for (const { at } of [...slow].sort((one, other) => one.at - other.at)) {
    if (times.length === 0 || at > times.at(-1)! + LEARNING_TIME) times.push(at);
  }
  return times;
}

function recover(site: Site, trouble: Trouble, inTrouble: readonly Instance[]): void {
  const { world } = site.story;
  if (trouble !== 'hangs') return;
  for (const { host } of inTrouble) host.resume();
  world.run({ for: OUTLIER_EJECTION_MAXIMUM });
  site.attempts.length = 0;
  connectFor(site, 1000, 20);
  world.run({ for: milliseconds(100) });
  const isQuick = site.attempts.every(({ took }) => took !== undefined && took < 100);
  expectThat(isQuick, 'all is well, and a connect is not');
  const ejected = choosers(site).flatMap((host) =>
    [...host.stack.sal.serviceTable.rules()].filter((rule) => rule.action === 'forward' && rule.ejected === true),
  );
  expectThat(ejected.length === 0, `${ejected.length} rules are still passed over`);
}

function refusalsBound(count: number): number {
  // Each attempt costs a round trip of every hop; where a router does not know whom it chose, the client pauses.
  return (count + 1) * 3 * ROUND_TRIP + 2 * 50 + 20;
}

function silenceBound(count: number): number {
  return CONTROL_TIMEOUT_INITIAL * (2 ** (count + 1) - 1) + 100;
}

function build(story: Story, depth: number): Site {
  const { world, chance } = story;
  const lan = world.segment('lan');
  const attach = (host: SimulatedHost): SimulatedHost => {
    world.attach(host, lan, { outbound: [new Delay(DELAY)], inbound: [new Delay(DELAY)] });
    return host;
  };
  const hosts = Array.from({ length: chance.integer(2, 5) }, (_, index) => attach(world.host(`instance${index}`)));
  const routers = [1, 2]
    .slice(0, depth)
    .map((count, level) =>
      Array.from({ length: count }, (_, index) => attach(world.host(`router${level}${index}`, { forwards: true }))),
    );
  const clients = ['client0', 'client1', 'client2'].map((name) => attach(world.host(name)));
  const levels = [clients, ...routers, hosts];
  for (const [level, next] of levels.slice(1).entries()) {
    for (const from of levels[level]!) for (const to of next) from.forward(to.address(), prefixOf(story));
  }
  const instances = hosts.map((host) => serve(story, host));
  return { story, clients, routers, instances, attempts: [] };
}

function serve(story: Story, host: SimulatedHost): Instance {
  const connection = (handle: StreamHandle): void => {
    handle.setObserver({ ...SILENT_OBSERVER, ended: () => handle.close() });
    handle.startReading();
  };
  const instance: Instance = {
    host,
    listener: host.listen(prefixOf(story), {}, { connection }),
  };
  return instance;
}

/** Who chooses among instances or routers: all but the instances. */
const choosers = ({ clients, routers }: Site): SimulatedHost[] => [...clients, ...routers.flat()];

const prefixOf = (story: Story): ServicePrefix => ServicePrefix.of(story.service(1));

/** Connects at random times within so many milliseconds, so many. */
function connectFor(site: Site, duration: number, count: number): void {
  const { story, clients, attempts } = site;
  const { world, chance } = story;
  for (let index = 0; index < count; index++) {
    world.in(chance.duration(0, duration), () => attempts.push(connect(world, chance.pick(clients), story)));
  }
  world.run({ for: milliseconds(duration) });
}

function connect(world: World, client: SimulatedHost, story: Story): Attempt {
  const attempt: Attempt = { at: world.now, by: client };
  const handle = client.connect(
    story.service(1),
    {},
    {
      ...SILENT_OBSERVER,
      connected: () => {
        attempt.took = world.now - attempt.at;
        attempt.to = handle.remoteAddress!.ip;
        handle.close();
      },
      failed: (error) => {
        if (attempt.took === undefined) attempt.failure = error.code;
      },
    },
  );
  return attempt;
}

function finish({ story, instances }: Site): void {
  for (const { host, listener } of instances) if (host.isRunning) listener.close();
  story.world.run({ for: seconds(120) });
  for (const host of story.world.hosts) {
    if (!host.isRunning) continue;
    // Those that are passed over are asked for ever.
    const left = [...host.stack.sal.flowTable.values()].filter(({ stopsAtAnswer }) => !stopsAtAnswer);
    expectThat(left.length === 0, `${host.name} has ${left.length} flows left`);
  }
}
