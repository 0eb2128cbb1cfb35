import { describe, expect, it } from 'vitest';
import { PathCache } from '../../lib/sal/path-cache';
import { SeededRandom } from '../../lib/time/seeded-random';
import { NetworkAddress } from '../../lib/wire/network-address';

const LOCAL = NetworkAddress.parse('192.0.2.1')!;
const peer = (port: number): NetworkAddress => NetworkAddress.parse('192.0.2.2', port)!;

describe('PathCache', () => {
  it('gives flows between the same two addresses one path', () => {
    const paths = new PathCache();
    const path = paths.of(1, LOCAL, peer(5));
    expect(paths.of(1, NetworkAddress.parse('192.0.2.1'), peer(5))).toBe(path);
    expect(path.toString()).toBe('192.0.2.1 > 192.0.2.2:5');
  });

  it('tells paths apart by link, by either address and by port', () => {
    const paths = new PathCache();
    const path = paths.of(1, LOCAL, peer(5));
    const others = [paths.of(2, LOCAL, peer(5)), paths.of(1, undefined, peer(5)), paths.of(1, LOCAL, peer(6))];
    expect(others.map(String)).toEqual(['192.0.2.1 > 192.0.2.2:5', '* > 192.0.2.2:5', '192.0.2.1 > 192.0.2.2:6']);
    for (const other of others) expect(other).not.toBe(path);
  });

  it('gives what was asked for, however many there are', () => {
    const paths = new PathCache();
    const random = SeededRandom.of(7);
    for (let turn = 0; turn < 5000; turn++) {
      const port = random.uint32() & 0x3ff;
      const path = paths.of(turn & 1, LOCAL, peer(port));
      expect([path.link, path.remote.port]).toEqual([turn & 1, port]);
    }
  });
});
