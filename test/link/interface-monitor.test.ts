import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { InterfaceMonitor } from '../../lib/link/interface-monitor';
import { describeWithNamespaces } from '../lab/require-root';
import { describeWithAddon } from '../native/addon';
import { exitOf, FixtureProgram } from './fixture-program';

describe('InterfaceMonitor', () => {
  it.each([true, false])('tells of all that is up, before it has started (native %s)', async (native) => {
    const events: string[] = [];
    const monitor = new InterfaceMonitor({ native });
    await monitor.start(({ kind, networkInterface }) => events.push(`${kind} ${networkInterface.address}`));
    monitor.close();
    expect(events).toContain('interfaceUp 127.0.0.1');
    expect(monitor.interfaces.find(({ address }) => address.isLoopback)).toMatchObject({
      name: 'lo',
      mtu: 65_536,
      isLoopback: true,
    });
  });

  it('sees the same with the addon and without it, as far as Node tells', async () => {
    const seen = await Promise.all(
      [true, false].map(async (native) => {
        const monitor = new InterfaceMonitor({ native });
        await monitor.start(() => {});
        monitor.close();
        return monitor.interfaces
          .map(({ name, address, prefixBits, broadcast }) => `${name} ${address}/${prefixBits} ${broadcast}`)
          .sort();
      }),
    );
    expect(seen[0]).toEqual(seen[1]);
  });
});

/** Generous for a busy machine; each way must notice within it, or the test fails. */
const NOTICED_WITHIN = { native: 100, polling: 2000 };

describeWithAddon('with the addon', () => {
  describeWithNamespaces('InterfaceMonitor in a namespace', () => {
    const namespace = `svmon${process.pid}`;
    let program: FixtureProgram;
    let child: ChildProcess;
    let told: unknown[][];
    let changedAt = 0;

    beforeAll(() => {
      program = new FixtureProgram('monitor-main');
    });
    afterAll(() => program.remove());
    afterEach(() => {
      child.kill('SIGKILL');
      spawnSync('ip', ['netns', 'delete', namespace]);
    });

    const ip = (line: string): void => {
      execFileSync('ip', ['-n', namespace, ...line.split(' ')]);
      changedAt = Date.now();
    };
    const begin = async (mode: string): Promise<void> => {
      execFileSync('ip', ['netns', 'add', namespace]);
      ip('link add pair0 type veth peer name pair1');
      ip('link set pair1 up');
      ip('link set pair0 up mtu 1400');
      told = [];
      child = program.start([mode], { namespace });
      child.on('message', (message: unknown[]) => told.push(message));
      await vi.waitFor(() => expect(told.at(-1)).toEqual(['started']), { timeout: 5000 });
    };
    /** Waits for this event and checks that it came in time after the last change. */
    const expectEvent = async (mode: 'native' | 'polling', event: unknown[]): Promise<void> => {
      const isIt = (message: unknown[]): boolean => event.every((value, index) => message[index] === value);
      await vi.waitFor(() => expect(told.find(isIt), JSON.stringify(told)).toBeDefined(), {
        timeout: 5000,
        interval: 5,
      });
      const at = told.find(isIt)!.at(-1) as number;
      expect(at - changedAt).toBeLessThan(NOTICED_WITHIN[mode]);
    };

    it.each(['native', 'polling'] as const)('tells when addresses and links come and go (%s)', async (mode) => {
      await begin(mode);
      const mtu = mode === 'native' ? 1400 : 1500;
      ip('address add 10.77.5.1/24 dev pair0');
      await expectEvent(mode, ['interfaceUp', 'pair0', '10.77.5.1/24', '10.77.5.255', mtu, false]);
      ip('address add fd00:77::1/64 dev pair0 nodad');
      await expectEvent(mode, ['interfaceUp', 'pair0', 'fd00:77::1/64', '', mtu, false, true]);

      told.length = 0;
      ip('link set pair0 down');
      await expectEvent(mode, ['interfaceDown', 'pair0', '10.77.5.1/24']);
      await expectEvent(mode, ['interfaceDown', 'pair0', 'fd00:77::1/64']);

      told.length = 0;
      ip('link set pair0 up');
      await expectEvent(mode, ['interfaceUp', 'pair0', '10.77.5.1/24', '10.77.5.255']);

      told.length = 0;
      ip('address del 10.77.5.1/24 dev pair0');
      await expectEvent(mode, ['interfaceDown', 'pair0', '10.77.5.1/24']);

      const exit = exitOf(child);
      child.send('close');
      expect(await exit).toBe(0);
    });

    it('counts an interface only while it runs, and takes the broadcast address it was given', async () => {
      await begin('native');
      ip('address add 10.77.6.1/24 broadcast 10.77.6.127 dev pair0');
      ip('address add 10.77.7.1/32 dev pair0');
      await expectEvent('native', ['interfaceUp', 'pair0', '10.77.6.1/24', '10.77.6.127']);
      await expectEvent('native', ['interfaceUp', 'pair0', '10.77.7.1/32', '']);
      // The other end goes: pair0 is up but has no carrier.
      ip('link set pair1 down');
      await expectEvent('native', ['interfaceDown', 'pair0', '10.77.6.1/24']);
      told.length = 0;
      ip('link delete pair1');
      ip('link set lo up');
      await expectEvent('native', ['interfaceUp', 'lo', '127.0.0.1/8', '', 65_536, true, true]);
      expect(told.filter(([, name]) => name === 'pair0')).toEqual([]);
    });

    it('tells of a new MTU by taking the address down and up', async () => {
      await begin('native');
      ip('address add 10.77.8.1/24 dev pair0');
      await expectEvent('native', ['interfaceUp', 'pair0', '10.77.8.1/24']);
      told.length = 0;
      ip('link set pair0 mtu 1300');
      await expectEvent('native', ['interfaceDown', 'pair0', '10.77.8.1/24', '10.77.8.255', 1400]);
      await expectEvent('native', ['interfaceUp', 'pair0', '10.77.8.1/24', '10.77.8.255', 1300]);
    });
  });
});
