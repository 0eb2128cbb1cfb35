// Bugs of the stack that simulated stories found, each as the smallest story that shows it.

import { describe, expect, it } from 'vitest';
import { HALF_OPEN_TIMEOUT } from '../../lib/limits';
import { Delay } from '../../lib/sim/elements/delay';
import type { NetworkElement, PacketSink } from '../../lib/sim/network-element';
import { path } from '../../lib/sim/path';
import type { SimulatedPacket } from '../../lib/sim/simulated-packet';
import { type Instant, milliseconds, seconds } from '../../lib/time/instant';
import { ServicePrefix } from '../../lib/wire/service-id';
import { checkNothingLeft } from './checkers';
import { DatagramActor, Post } from './datagram-actor';
import { Story } from './story';

/** Drops what `isLost` says. */
function dropping(isLost: (packet: SimulatedPacket) => boolean): NetworkElement {
  return {
    attach:
      ({ next, dropped }): PacketSink =>
      (packet) =>
        isLost(packet) ? dropped(packet, 'lost by the story') : next(packet),
  };
}

function twoHosts(...elements: NetworkElement[]) {
  const story = new Story(1);
  const [client, server] = [story.world.host('client'), story.world.host('server')];
  story.world.connect(client, server, path(new Delay(milliseconds(10)), ...elements));
  return { story, world: story.world, client, server, service: story.service(1) };
}

describe('closed', () => {
  it('comes behind the last byte, though both ends finished long before a slow reader has read them', () => {
    const { story, client, server, service } = twoHosts();
    story.serve(server, service, () => story.plan(50_000));
    const slow = { pauseEvery: 5000, pauseFor: seconds(5) };
    const { client: actor } = story.visit(client, service, story.plan(100, slow));
    story.end();
    expect(actor.received).toBe(50_000);
    expect(actor.isEnded).toBe(true);
  });

  it('comes when the application lets go of a connection that was over, with bytes unread', () => {
    const { story, world, client, server, service } = twoHosts();
    story.serve(server, service, () => story.plan(20_000));
    const { client: actor } = story.visit(client, service, story.plan(100, { pauseEvery: 1, pauseFor: seconds(500) }));
    world.run({ for: seconds(100) });
    expect(actor.isClosed).toBe(false);
    actor.quit((handle) => handle.close());
    world.run({ for: seconds(1) });
    expect(actor.isClosed).toBe(true);
    story.listeners[0]!.close();
    world.run();
  });
});

describe('handshake', () => {
  it('keeps a half-open flow while its client repeats the SYN', () => {
    // Both answers are lost until long after the first SYN.
    const isAnswer = ({ from, bytes }: SimulatedPacket): boolean => from === 'server' && bytes.length === 64;
    const { story, world, client, server, service } = twoHosts(
      dropping((packet) => isAnswer(packet) && world.now < 9000),
    );
    story.serve(server, service, () => story.plan(1000));
    const { client: actor, accepted } = story.visit(client, service, story.plan(1000), { timeout: 30_000 });
    // The second SYN-ACK must be of the same flow: then the client answers with one third ACK.
    story.end();
    expect(actor.isComplete).toBe(true);
    expect(accepted.length).toBe(1);
  });

  it('tells a client whose third ACK comes too late, instead of letting it time out', () => {
    // Nothing of the client arrives for a while, once it has its SYN-ACK.
    const isLate = ({ from, bytes }: SimulatedPacket): boolean => from === 'client' && bytes.length !== 100;
    const { story, world, client, server, service } = twoHosts(
      dropping((packet) => isLate(packet) && world.now < HALF_OPEN_TIMEOUT + 100),
    );
    story.serve(server, service, () => story.plan(1000));
    const { client: actor, accepted } = story.visit(client, service, story.plan(1000));
    world.run({ until: () => actor.isClosed });
    expect(actor.error?.code).toBe('ECONNRESET');
    expect(world.now).toBeLessThan(HALF_OPEN_TIMEOUT + 14_000);
    expect(accepted.length).toBe(0);
  });
});

describe('a half-closed stream', () => {
  it('receives for longer than FIN-WAIT-2 lasts', () => {
    const { story, world, client, server, service } = twoHosts();
    const held = story.plan(1000, { holds: true });
    story.serve(server, service, () => held);
    const { client: actor, accepted } = story.visit(client, service, story.plan(10));
    world.run({ for: seconds(1000) });
    expect(actor.isFinished).toBe(true);
    expect(actor.isClosed).toBe(false);
    accepted[0]!.release();
    story.end();
    expect(actor.isComplete).toBe(true);
  });

  it('answers its peer, after all was received, until the peer knows', () => {
    // The client's acknowledgments of the last bytes are lost until it repeats them after more than a minute.
    const isAcknowledgment = ({ from, bytes }: SimulatedPacket): boolean => from === 'client' && bytes.length <= 52;
    const isLost = (packet: SimulatedPacket): boolean =>
      isAcknowledgment(packet) && world.now > 1000 && world.now < 40_000;
    const { story, world, client, server, service } = twoHosts(dropping(isLost));
    const held = story.plan(1000, { holds: true });
    story.serve(server, service, () => held);
    const { accepted } = story.visit(client, service, story.plan(10));
    world.run({ for: seconds(1) });
    accepted[0]!.release();
    story.end();
    expect(accepted[0]!.isComplete).toBe(true);
  });
});

describe('the end of a flow', () => {
  it('is no failure when only the acknowledgment of a FIN is missing', () => {
    // Both close at once, and the client never answers the server's FIN.
    const isAck = ({ from, bytes }: SimulatedPacket): boolean =>
      from === 'client' && bytes.length === 32 && bytes[14] === 0x20;
    const { story, client, server, service } = twoHosts(dropping(isAck));
    story.serve(server, service, () => story.plan(10));
    const { accepted } = story.visit(client, service, story.plan(10));
    story.end();
    expect(accepted[0]!.isFinished).toBe(true);
    expect(accepted[0]!.error).toBeUndefined();
  });
});

describe('timers', () => {
  it('come to an end at instants whose differences are rounded down', () => {
    const delay = 2000;
    const roundedDown = Array.from({ length: 400 }, (_, index) => index * 0.7).filter((at) => at + delay - at < delay);
    expect(roundedDown.length).toBeGreaterThan(5);
    const story = new Story(1);
    const { world } = story;
    const [client, server] = [world.host('client'), world.host('server')];
    world.connect(client, server);
    const service = story.service(1);
    const held = () => story.plan(10, { holds: true, keepAlive: delay });
    story.serve(server, service, held);
    for (const at of roundedDown) world.at(at as Instant, () => story.visit(client, service, held()));
    world.run({ for: seconds(30) });
    story.release();
    story.end();
  });
});

describe('a datagram socket', () => {
  it('hears nothing after closed, though a connected peer goes on sending', () => {
    const { world, client, server, service } = twoHosts();
    const post = new Post();
    const near = new DatagramActor('client', client, undefined, post);
    const far = new DatagramActor('server', server, ServicePrefix.of(service), post);
    near.handle.connect(service, {});
    world.run({ until: () => near.isConnected });
    world.in(milliseconds(5), () => far.handle.close());
    for (let delay = 0; delay < 30; delay++) world.in(milliseconds(delay), () => void near.send(100, service, true));
    world.run();
    expect(far.isClosed).toBe(true);
    expect(far.arrived.length).toBeLessThan(30);
    near.handle.close();
    world.run();
    checkNothingLeft(world);
  });

  it('is closed once when it closes while it is given a message', () => {
    const { world, client, server, service } = twoHosts();
    let closed = 0;
    const observer = {
      message: (): void => handle.close(),
      connected(): void {},
      failed(): void {},
      closed: (): void => void closed++,
    };
    const handle = server.openDatagram(ServicePrefix.of(service), observer);
    const sender = client.openDatagram(undefined, observer);
    for (let count = 0; count < 3; count++) expect(sender.send(Buffer.from('x'), service)).toBeUndefined();
    world.run();
    expect(closed).toBe(1);
    sender.close();
    world.run();
    expect(closed).toBe(2);
  });
});
