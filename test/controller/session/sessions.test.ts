// The two halves of a controller session together (§4.3): what is offered is registered, with its changes, through
// every way in which a session can end and be taken over.
import { beforeEach, describe, expect, it } from 'vitest';
import { CONTROLLER_PREFIX } from '../../../lib/controller/controller-service';
import { formatLine } from '../../../lib/controller/session/message-fields';
import {
  REGISTRATIONS_PER_SESSION_MAXIMUM,
  SESSION_HELLO_TIMEOUT,
  SESSION_LEASE,
  SESSION_PATH_MAXIMUM,
  SESSIONS_MAXIMUM,
  SUSPICION_MINIMUM,
} from '../../../lib/controller/session/session-limits';
import { NetworkAddress } from '../../../lib/wire/network-address';
import { ServiceID, ServicePrefix } from '../../../lib/wire/service-id';
import { End, Neighbourhood } from './both-ends';

const service = (digit: string) => ServicePrefix.of(ServiceID.fromHex(digit.repeat(64))!);
const IDENTITY = '1'.repeat(32);
const hello = {
  type: 'hello',
  version: 1,
  identity: IDENTITY,
  session: 1,
  port: 54325,
  source: { ip: '10.0.0.9', port: 40_000 },
};
const register = (id: number, prefix: ServicePrefix) => ({ type: 'register', id, prefix, protocol: 6, weight: 5 });

let world: Neighbourhood;
beforeEach(() => {
  world = new Neighbourhood();
});

/** A host with service a, registered. */
function registered(ip = '10.0.0.2') {
  const host = world.host(ip);
  host.session.offer(service('a'), 6, { weight: 5 });
  host.session.start(world.now);
  world.deliver();
  expect(world.take()).toEqual([`+a ${ip}:54325 5`]);
  return host;
}

/** A channel to the router on which the test speaks. */
function byHand(remote = NetworkAddress.parse('10.0.0.9', 40_000)!) {
  const end = new End({ ip: '10.0.0.1', port: 54325 }, remote);
  const observer = world.registrar.accept(end, world.now);
  const say = (...messages: (object | string)[]) =>
    observer!.lines(
      messages.map((message) => (typeof message === 'string' ? message : formatLine(message).trimEnd())),
      world.now,
    );
  return { end, observer, say };
}

describe('a controller session', () => {
  it('registers what is offered before and after it began, and each change', () => {
    const { session, events } = registered();
    session.offer(service('b'), 17, { weight: 1 });
    expect(session.isAcknowledged(service('b'), 17)).toBe(false);
    world.deliver();
    expect(session.isAcknowledged(service('b'), 17)).toBe(true);
    session.offer(service('a'), 6, { weight: 9 });
    session.withdraw(service('b'), 17);
    session.withdraw(service('b'), 17);
    world.deliver();
    expect(world.take()).toEqual(['+b 10.0.0.2:54325 1', '+a 10.0.0.2:54325 9', '-b 10.0.0.2:54325']);
    expect(events).toEqual(['welcomed 10.0.0.1:54325']);
  });

  it('lives on by its heartbeats, and is void a lease after the last', () => {
    registered();
    world.elapse(60_000);
    expect([world.take(), world.channels.length]).toEqual([[], 1]);
    world.isCarrying = false;
    world.isReachable = false;
    world.elapse(SESSION_LEASE - 1001);
    expect(world.take()).toEqual([]);
    world.elapse(1001);
    expect(world.take()).toEqual(['-a 10.0.0.2:54325']);
  });

  it('is replaced as soon as a heartbeat is not answered, before anything is lost', () => {
    const { events } = registered();
    const [first] = world.channels;
    world.elapse(500);
    first!.above.observer = undefined;
    world.elapse(500 + SUSPICION_MINIMUM + 10);
    expect([world.channels.length, world.take()]).toEqual([2, []]);
    expect(first!.below.isReset).toBe(true);
    expect(events).toEqual(['welcomed 10.0.0.1:54325', 'welcomed 10.0.0.1:54325']);
  });

  it('is not replaced when the answer comes before the second session has said hello', () => {
    const { session } = registered();
    world.elapse(500);
    world.isReachable = false;
    const [{ above }] = world.channels as [(typeof world.channels)[0]];
    const { observer } = above;
    above.observer = undefined;
    world.elapse(500 + SUSPICION_MINIMUM + 10);
    above.observer = observer;
    world.elapse(20_000);
    expect([world.channels.length, session.isWelcome, world.take()]).toEqual([1, true, []]);
  });

  it('finds a router that has restarted, and tells it all', () => {
    registered();
    world.elapse(700);
    world.restart();
    world.elapse(1300);
    expect(world.take()).toEqual(['+a 10.0.0.2:54325 5']);
  });

  it('comes back after a goodbye, not all in one instant', () => {
    const hosts = ['10.0.0.2', '10.0.0.3'].map((ip) => registered(ip));
    const former = world.registrar;
    former.close();
    world.restart();
    world.deliver();
    expect(hosts.map(({ session }) => session.isWelcome)).toEqual([false, false]);
    expect(hosts.every(({ session }) => session.nextDeadline() > world.now)).toBe(true);
    world.elapse(200);
    expect(world.take().sort()).toEqual(['+a 10.0.0.2:54325 5', '+a 10.0.0.3:54325 5']);
  });

  it('goes on trying while no router answers, with pauses that do not grow for ever', () => {
    const host = world.host('10.0.0.2');
    world.isReachable = false;
    host.session.offer(service('a'), 6, { weight: 5 });
    host.session.start(world.now);
    world.elapse(600_000);
    world.isReachable = true;
    world.elapse(3100);
    expect(world.take()).toEqual(['+a 10.0.0.2:54325 5']);
  });

  it('says goodbye, and nothing is left', () => {
    const { session } = registered();
    session.stop();
    world.deliver();
    expect(world.take()).toEqual(['-a 10.0.0.2:54325']);
    expect([...world.registrar.hosts()]).toEqual([]);
  });

  it('moves with its host: the new address is known before the old one goes', () => {
    const { session, place } = registered();
    place.ip = '10.0.0.7';
    session.handleAddressGone('10.0.0.2', world.now);
    world.deliver();
    expect(world.take()).toEqual(['+a 10.0.0.7:54325 5', '-a 10.0.0.2:54325']);
  });

  it('moves although its flow has migrated before it heard that the address is gone', () => {
    const { session, place } = registered();
    world.channels[0]!.below.local.ip = place.ip = '10.0.0.7';
    session.handleAddressGone('10.0.0.2', world.now);
    world.deliver();
    expect(world.take()).toEqual(['+a 10.0.0.7:54325 5', '-a 10.0.0.2:54325']);
  });

  it('moves although another session was being opened when the address went, and the first is heard again', () => {
    const { session, place } = registered();
    const [{ above }] = world.channels as [(typeof world.channels)[0]];
    const { observer } = above;
    above.observer = undefined;
    world.isReachable = false;
    // Where a connect comes from is known when it is answered.
    place.ip = '';
    world.elapse(1000 + SUSPICION_MINIMUM + 10);
    place.ip = '10.0.0.7';
    session.handleAddressGone('10.0.0.2', world.now);
    above.observer = observer;
    world.isReachable = true;
    world.elapse(SESSION_LEASE + 1000);
    expect(world.take()).toEqual(['+a 10.0.0.7:54325 5', '-a 10.0.0.2:54325']);
  });

  it('moves even while the former session does well', () => {
    const { session } = registered();
    session.move(world.now);
    world.elapse(10);
    expect(world.channels[0]!.below.isReset).toBe(true);
    expect(world.take()).toEqual([]);
  });

  it('keeps what another process had registered until it has said all', () => {
    registered().session.handOver();
    const next = world.host('10.0.0.2', { identity: IDENTITY });
    next.session.offer(service('b'), 6, { weight: 1 });
    next.session.start(world.now, false);
    world.deliver();
    expect(world.take()).toEqual(['+b 10.0.0.2:54325 1']);
    next.session.complete();
    world.deliver();
    expect(world.take()).toEqual(['-a 10.0.0.2:54325']);
  });

  it('gives the address of a translator where there is one, and its port', () => {
    const host = world.host('192.168.0.2', { translatedTo: NetworkAddress.parse('203.0.113.5', 6123)! });
    host.session.offer(service('a'), 6, { weight: 5 });
    host.session.start(world.now);
    world.deliver();
    expect(world.take()).toEqual(['+a 203.0.113.5:6123 5']);
  });

  it('tells once why it is refused, though it tries on', () => {
    const { session, events } = registered();
    world.registrar.setPath([session.identity], world.now);
    world.elapse(30_000);
    expect(world.channels.length).toBeGreaterThan(5);
    expect(events.slice(1)).toEqual([expect.stringContaining('registers with it'), 'lost']);
    world.registrar.setPath([], world.now);
    world.elapse(2000);
    expect(session.isWelcome).toBe(true);
  });

  it('tells that it has been lost after a lease without a router, once', () => {
    const { events } = registered();
    world.isReachable = false;
    for (const { above } of world.channels) above.isOver = true;
    world.elapse(SESSION_LEASE + 10);
    world.elapse(60_000);
    expect(events).toEqual(['welcomed 10.0.0.1:54325', 'lost']);
  });
});

describe('a registrar', () => {
  it('brings nothing back for an older session, while a newer one lives and when it has said goodbye', () => {
    const newer = byHand();
    newer.say({ ...hello, session: 2 }, register(1, service('a')));
    world.take();
    const older = byHand();
    older.say({ ...hello, session: 1 }, register(1, service('b')));
    expect(older.end.take()).toEqual([{ type: 'refused', reason: expect.stringContaining('newer') }]);
    newer.say({ type: 'bye' });
    const late = byHand();
    late.say({ ...hello, session: 2 }, register(1, service('b')));
    expect(world.take()).toEqual(['-a 10.0.0.9:54325']);
    expect(late.end.isOver).toBe(true);
    const next = byHand();
    next.say({ ...hello, session: 3 }, register(1, service('b')));
    expect(world.take()).toEqual(['+b 10.0.0.9:54325 5']);
  });

  it('takes a newer run at the same address for the successor of the older one', () => {
    byHand().say(hello, register(1, service('a')), register(2, service('b')), { type: 'synced' });
    world.take();
    const next = byHand();
    next.say({ ...hello, identity: '2'.repeat(32) }, register(1, service('b')));
    expect([...world.registrar.hosts()].map(({ identity }) => identity[0])).toEqual(['2']);
    expect(world.take()).toEqual([]);
    next.say({ type: 'synced' });
    expect(world.take()).toEqual(['-a 10.0.0.9:54325']);
  });

  it.each([
    ['no hello', [register(1, service('a'))], 'hello'],
    ['hello twice', [hello, { ...hello, session: 2 }], 'hello'],
    ['another version', [{ ...hello, version: 2 }], 'version'],
    ['a malformed line', [hello, '{"type":"register"}'], 'malformed'],
    ['an unknown message', [hello, { type: 'please' }], 'malformed'],
  ])('cuts off who says %s', (_what, messages, reason) => {
    const { end, say } = byHand();
    say(...messages, register(9, service('f')));
    expect(end.take().at(-1)).toEqual({ type: 'refused', reason: expect.stringContaining(reason) });
    expect(end.isOver).toBe(true);
    expect(world.take()).toEqual([]);
  });

  it('cuts off who sends a line that is too long, and who says nothing', () => {
    const { end, observer } = byHand();
    observer!.lines(undefined, world.now);
    expect(end.isOver).toBe(true);
    const silent = byHand();
    world.elapse(SESSION_HELLO_TIMEOUT + 1);
    expect(silent.end.isReset).toBe(true);
  });

  it('gives nobody the controller service, and nobody more than so many registrations', () => {
    const { end, say } = byHand();
    say(hello, register(1, CONTROLLER_PREFIX));
    expect(end.take()).toContainEqual({ type: 'refused', id: 1, reason: expect.any(String) });
    for (let id = 0; id < REGISTRATIONS_PER_SESSION_MAXIMUM; id++) {
      say(register(id, ServicePrefix.of(ServiceID.fromWords([id, 1, 0, 0, 0, 0, 0, 0]))));
    }
    say(register(7, service('f')));
    expect(end.take().at(-1)).toEqual({ type: 'refused', id: 7, reason: expect.stringContaining('too many') });
    say({ type: 'bye' });
    world.take();
    expect([...world.registrar.instances()]).toEqual([]);
  });

  it('takes so many sessions, and no more', () => {
    for (let count = 0; count < SESSIONS_MAXIMUM; count++) expect(byHand().observer).toBeDefined();
    expect(byHand().observer).toBeUndefined();
    world.elapse(SESSION_HELLO_TIMEOUT + 1);
    expect(byHand().observer).toBeDefined();
  });

  it('answers a heartbeat with as much as came, and nothing else without being asked', () => {
    const { end, say } = byHand();
    say(hello);
    end.take();
    say({ type: 'heartbeat', count: 7 });
    expect(end.take()).toEqual([{ type: 'heartbeat', count: 7 }]);
    say({ type: 'synced' }, { type: 'unregister', prefix: service('a'), protocol: 6 });
    expect(end.take()).toEqual([]);
  });

  it('does not register with a host that is above it, nor under too many routers', () => {
    const { end, say } = byHand();
    say(hello);
    world.registrar.setPath([IDENTITY], world.now);
    expect(end.isOver).toBe(true);
    const again = byHand();
    again.say({ ...hello, session: 2 });
    expect(again.end.take()).toEqual([{ type: 'refused', reason: expect.stringContaining('registers with') }]);
    world.registrar.setPath(new Array<string>(SESSION_PATH_MAXIMUM).fill('e'.repeat(32)), world.now);
    const deep = byHand();
    deep.say({ ...hello, session: 3 });
    expect(deep.end.take()).toEqual([{ type: 'refused', reason: expect.stringContaining('too many routers') }]);
  });
});
