// Locality by scope (docs/choosing-instances.md): whoever connects gets an instance of its own host before one of its
// subnet, and that before one elsewhere, as long as there is one that takes it. Told by nothing but who registers
// where: each subnet has a router, and the routers have one above them.

import type { ListenerHandle } from '../../lib/driver/handles';
import { SILENT_OBSERVER } from '../../lib/driver/handles';
import { Delay } from '../../lib/sim/elements/delay';
import { RandomLoss } from '../../lib/sim/elements/random-loss';
import type { SimulatedHost } from '../../lib/sim/simulated-host';
import { milliseconds, seconds } from '../../lib/time/instant';
import { ServicePrefix } from '../../lib/wire/service-id';
import { expectThat } from './checkers';
import { type Story, stories } from './story';

/** From the client on. */
const PLACES = ['same host', 'same subnet', 'elsewhere'] as const;
type Place = (typeof PLACES)[number];

class Site {
  private readonly hosts: Record<Place, readonly SimulatedHost[]>;
  private readonly running = new Map<SimulatedHost, ListenerHandle>();

  constructor(private readonly story: Story) {
    const { world, chance } = story;
    const [near, far] = [world.segment('near'), world.segment('far')];
    const between = (): Delay[] => [new Delay(milliseconds(10))];
    near.join(far, { forward: between(), backward: between() });
    const loss = chance.pick([0, 0, 0.02]);
    const add = (segment: typeof near, name: string, hierarchy: object): SimulatedHost => {
      const host = world.host(name, { hierarchy });
      world.attach(host, segment, { outbound: [new Delay(milliseconds(1)), new RandomLoss(loss)] });
      return host;
    };
    const root = add(chance.pick([near, far]), 'root', { isRouter: true });
    const below = { isRouter: true, router: root.address() };
    const [nearRouter, farRouter] = [add(near, 'near router', below), add(far, 'far router', below)];
    const count = chance.integer(1, 3);
    const some = (segment: typeof near, name: string, router: SimulatedHost, length: number): SimulatedHost[] =>
      Array.from({ length }, (_, index) => add(segment, `${name}${index}`, { router: router.address() }));
    this.hosts = {
      'same host': some(near, 'client', nearRouter, 1),
      'same subnet': some(near, 'near', nearRouter, count),
      elsewhere: some(far, 'far', farRouter, count),
    };
  }

  get client(): SimulatedHost {
    return this.hosts['same host'][0]!;
  }

  /** Instances come and go, one at a time; how they go is not always orderly. */
  change(): void {
    const { chance, world } = this.story;
    const host = chance.pick(PLACES.flatMap((place) => this.hosts[place]));
    const listener = this.running.get(host);
    if (listener === undefined) this.start(host);
    else {
      this.running.delete(host);
      if (host === this.client || chance.happens(0.7)) listener.close();
      else {
        host.crash();
        world.run({ for: milliseconds(100) });
        host.start();
      }
    }
  }

  start(host: SimulatedHost): void {
    const connection = (): void => {};
    this.running.set(host, host.listen(ServicePrefix.of(this.story.service(1)), {}, { connection }));
  }

  startOne(place: Place): void {
    const host = this.story.chance.pick(this.hosts[place]);
    if (!this.running.has(host)) this.start(host);
  }

  /** Where the nearest instance is; `undefined` when there is none. */
  get nearest(): Place | undefined {
    return PLACES.find((place) => this.hosts[place].some((host) => this.running.has(host)));
  }

  /** Where a connect of the client arrives. */
  connect(): Place | undefined {
    const { world } = this.story;
    let [isOver, at]: [boolean, Place | undefined] = [false, undefined];
    const handle = this.client.connect(
      this.story.service(1),
      {},
      {
        ...SILENT_OBSERVER,
        connected: () => {
          at = this.placeOf(handle.remoteAddress!.ip);
          isOver = true;
          handle.reset();
        },
        failed: () => {
          isOver = true;
        },
      },
    );
    world.run({ for: seconds(10), until: () => isOver });
    return at;
  }

  private placeOf(ip: string): Place {
    if (ip === '127.0.0.1' || ip === this.client.address().ip) return 'same host';
    return PLACES.find((place) => this.hosts[place].some((host) => host.address().ip === ip))!;
  }

  end(): void {
    for (const listener of this.running.values()) listener.close();
  }
}

stories('an instance of the own host, else of the subnet, else one elsewhere', 9500, 24, (story) => {
  const { world, chance } = story;
  const site = new Site(story);
  world.run({ for: seconds(4) });
  for (const place of ['elsewhere', 'same subnet', 'same host'] as const) {
    site.startOne(place);
    world.run({ for: seconds(1) });
    expectNearest(site, place);
  }
  for (let change = 0; change < 8; change++) {
    site.change();
    // A crash that nobody has noticed is somebody else's test: here all routers know what there is.
    world.run({ for: chance.pick([seconds(5), seconds(8)]) });
    expectNearest(site, site.nearest);
  }
  site.end();
});

function expectNearest(site: Site, place: Place | undefined): void {
  for (let count = 0; count < 5; count++) {
    const at = site.connect();
    expectThat(at === place, `a connect went ${at ?? 'nowhere'}, and the nearest instance is ${place ?? 'nowhere'}`);
  }
}
