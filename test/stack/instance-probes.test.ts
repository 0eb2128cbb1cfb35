// What the command 'probe' finds out, and what it leaves behind: nothing.

import { describe, expect, it } from 'vitest';
import { SILENT_OBSERVER } from '../../lib/driver/handles';
import { PROBES_MAXIMUM } from '../../lib/limits';
import type { SimulatedHost } from '../../lib/sim/simulated-host';
import { World } from '../../lib/sim/world';
import type { ProbeOutcome, ServiceEvent } from '../../lib/stack/control-interface';
import { milliseconds, seconds } from '../../lib/time/instant';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { checkNothingLeft } from '../sim/checkers';

const service = ServiceID.fromHex('5e'.repeat(32))!;
const prefix = ServicePrefix.of(service);
const QUIET = { message() {}, connected() {}, failed() {}, closed() {} };

function site() {
  const world = new World({ seed: 5 });
  const outcomes: ProbeOutcome[] = [];
  const handleEvent = (event: ServiceEvent): void => void (event.kind === 'probed' && outcomes.push(event.outcome));
  const controller = () => ({ handleEvent, pollCommand: () => undefined });
  const asking = world.host('asking', { controller });
  const asked = world.host('asked');
  for (const host of [asking, asked]) world.attach(host, world.segment('lan'));
  const accepted: unknown[] = [];
  const listen = () => asked.listen(prefix, { backlog: 5 }, { connection: (handle) => void accepted.push(handle) });
  const probe = (host: SimulatedHost = asked): void => {
    const address = host.address();
    asking.command({ kind: 'probe', serviceID: service, address, link: 1, timeout: seconds(1) });
  };
  return { world, asking, asked, listen, probe, outcomes, accepted };
}

describe('a probe', () => {
  it('is answered by a stream service, whose application hears nothing', () => {
    const { world, asking, asked, listen, probe, outcomes, accepted } = site();
    const listener = listen();
    probe();
    world.run({ for: milliseconds(100) });
    expect(outcomes).toEqual(['answered']);
    expect(accepted).toEqual([]);
    expect([asking, asked].map(({ stack }) => stack.sal.flowTable.size)).toEqual([0, 0]);
    listener.close();
    world.run();
    checkNothingLeft(world);
  });

  it('is answered by a datagram service', () => {
    const { world, asked, probe, outcomes } = site();
    const socket = asked.openDatagram(prefix, QUIET);
    probe();
    world.run({ for: milliseconds(100) });
    expect(outcomes).toEqual(['answered']);
    expect(asked.stack.sal.flowTable.size).toBe(0);
    socket.close();
  });

  it('is answered by a service that is full: it is well', () => {
    const { world, listen, probe, outcomes, accepted } = site();
    listen().setPlaces(0);
    probe();
    world.run({ for: milliseconds(100) });
    expect(outcomes).toEqual(['answered']);
    expect(accepted).toEqual([]);
  });

  it('is refused where nobody has the service', () => {
    const { world, probe, outcomes } = site();
    probe();
    world.run({ for: milliseconds(100) });
    expect(outcomes).toEqual(['refused']);
  });

  it.each([
    ['a stuck event loop', (host: SimulatedHost) => host.pause()],
    ['a process that is gone, though ICMP says so at once', (host: SimulatedHost) => host.crash()],
  ])('is not answered by %s', (_name, trouble) => {
    const { world, asking, asked, listen, probe, outcomes } = site();
    listen();
    trouble(asked);
    probe();
    world.run({ for: milliseconds(990) });
    expect(outcomes).toEqual([]);
    world.run({ for: milliseconds(1000) });
    expect(outcomes).toEqual(['unanswered']);
    expect(asking.stack.sal.flowTable.size).toBe(0);
  });

  it('is skipped when too many are under way', () => {
    const { world, asked, listen, probe, outcomes } = site();
    listen();
    asked.pause();
    for (let count = 0; count < PROBES_MAXIMUM + 3; count++) probe();
    world.run({ for: milliseconds(100) });
    expect(outcomes).toEqual(['skipped', 'skipped', 'skipped']);
    world.run({ for: seconds(2) });
    expect(outcomes.slice(3)).toEqual(new Array(PROBES_MAXIMUM).fill('unanswered'));
    asked.resume();
    world.run({ for: milliseconds(100) });
    probe();
    world.run({ for: milliseconds(100) });
    expect(outcomes.at(-1)).toBe('answered');
  });

  it('goes where it is told, whatever the service table says', () => {
    const { world, asking, asked, listen, probe, outcomes } = site();
    listen();
    asking.listen(prefix, {}, { connection: (handle) => handle.setObserver(SILENT_OBSERVER) });
    probe();
    world.run({ for: milliseconds(100) });
    expect(outcomes).toEqual(['answered']);
    expect(asked.stack.sal.counters.value('unmatched')).toBeLessThanOrEqual(1);
  });
});
