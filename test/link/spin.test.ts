// Bounded polling after traffic: a link that does it is a link like any other, and its process pays no more
// than was promised.

import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SPIN_MAXIMUM } from '../../lib/limits';
import type { Link } from '../../lib/link/link';
import { UdpLink } from '../../lib/link/udp-link';
import { type AddressFamily, NetworkAddress } from '../../lib/wire/network-address';
import { describeWithAddon } from '../native/addon';
import { linkConformance } from './conformance';
import { exitOf, FixtureProgram } from './fixture-program';

const loopback = (link: Link, family: AddressFamily): NetworkAddress =>
  NetworkAddress.parse(family === 4 ? '127.0.0.1' : '::1', link.port)!;

describeWithAddon('with the addon', () => {
  linkConformance('the native UDP link that spins', () => ({
    a: new UdpLink({ spin: SPIN_MAXIMUM }),
    b: new UdpLink({ spin: SPIN_MAXIMUM }),
    addressOf: loopback,
  }));
});

describeWithAddon('a process whose links spin', () => {
  let program: FixtureProgram;
  beforeAll(() => {
    program = new FixtureProgram('spin-main');
  });
  afterAll(() => program.remove());

  const figuresOf = async (scenario: string): Promise<Record<string, number>> => {
    const child = program.start([scenario]);
    const exit = exitOf(child);
    const figures = await Promise.race([once(child, 'message').then(([told]) => told), exit]);
    expect(await exit).toBe(0);
    return figures as Record<string, number>;
  };

  it('uses no processor time once the traffic is over', async () => {
    const { spins, rounds, processorMilliseconds } = await figuresOf('idle');
    expect(rounds).toBeGreaterThan(50);
    expect(spins).toBeGreaterThan(0);
    // Spinning would take all of the second.
    expect(processorMilliseconds).toBeLessThan(100);
  });

  it('goes on with timers, sockets, files and immediates while it spins', async () => {
    const { rounds, hits, timers, echoes, reads, immediates } = await figuresOf('busy');
    expect(rounds).toBeGreaterThan(100);
    expect(hits).toBeGreaterThan(rounds!);
    expect(timers).toBeGreaterThan(50);
    expect(echoes).toBeGreaterThan(100);
    expect(reads).toBeGreaterThan(20);
    expect(immediates).toBeGreaterThan(100);
  });

  it('gives up on answers that come too late', async () => {
    const { rounds, spins } = await figuresOf('late');
    expect(rounds).toBe(200);
    // 800 times something was sent or received; both links have 8 chances and a try in ever longer intervals.
    expect(spins).toBeLessThan(100);
  });

  it('spins in a worker thread, and survives its end in the midst of it', async () => {
    const { hits, isGone } = await figuresOf('worker');
    expect(hits).toBeGreaterThan(0);
    expect(isGone).toBe(1);
  });

  it('ends when nothing else keeps it alive', async () => {
    expect((await figuresOf('unref'))['spins']).toBe(1);
  });
});
