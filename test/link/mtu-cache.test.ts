// MTUs are asked for once in a while, whatever port they are wanted for, and never kept without bound.

import { expect, it } from 'vitest';
import { MTU_CACHE_ENTRIES_MAXIMUM, MTU_CACHE_LIFETIME } from '../../lib/limits';
import { MtuCache } from '../../lib/link/mtu-cache';
import { NetworkAddress } from '../../lib/wire/network-address';

function cacheWith(mtuTo: (destination: NetworkAddress) => number | undefined) {
  const clock = { now: 5 };
  const asked: string[] = [];
  const cache = new MtuCache(
    (destination) => {
      asked.push(destination.ip);
      return mtuTo(destination);
    },
    () => clock.now,
  );
  const ask = (ip: string, port = 1): number | undefined => cache.mtuTo(NetworkAddress.parse(ip, port)!);
  return { cache, clock, asked, ask };
}

it('asks once for an address, whatever the port and the answer', () => {
  const { asked, ask } = cacheWith(({ family }) => (family === 4 ? 1400 : undefined));
  for (const port of [1, 2, 3]) {
    expect(ask('10.0.0.1', port)).toBe(1400);
    expect(ask('fd00::1', port)).toBe(undefined);
  }
  expect(asked).toEqual(['10.0.0.1', 'fd00::1']);
});

it('asks again when the lifetime has passed, and after clear', () => {
  const mtus = [1500, 1400, 1300];
  const { cache, clock, ask } = cacheWith(() => mtus.shift());
  expect(ask('10.0.0.1')).toBe(1500);
  clock.now += MTU_CACHE_LIFETIME - 1;
  expect(ask('10.0.0.1')).toBe(1500);
  clock.now += 1;
  expect(ask('10.0.0.1')).toBe(1400);
  cache.clear();
  expect(ask('10.0.0.1')).toBe(1300);
});

it('holds a bounded number of addresses', () => {
  const { cache, ask } = cacheWith(() => 1500);
  for (let host = 0; host < 3 * MTU_CACHE_ENTRIES_MAXIMUM; host++) {
    ask(`10.0.${host >> 8}.${host & 255}`);
    expect(cache.size).toBeLessThanOrEqual(MTU_CACHE_ENTRIES_MAXIMUM);
  }
});
