// Real processes that are killed: what architecture §4 asks of many processes on one host (P15, E38).
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { HEARTBEAT_BEATS, HEARTBEAT_INTERVAL } from '../../lib/limits';
import { compileRegistryProcess, RegistryProcess } from './registry-process';

describe('processes of one host', () => {
  let compiled: ReturnType<typeof compileRegistryProcess>;
  const processes: RegistryProcess[] = [];
  let endpoint = '';
  let lastPort = 4000;

  beforeAll(() => {
    compiled = compileRegistryProcess();
  }, 60_000);
  afterAll(() => compiled.remove());
  afterEach(() => endAll());

  const endAll = async () => {
    await Promise.all(processes.splice(0).map((one) => one.end()));
  };
  const run = (services: readonly string[] = []) => {
    const one = new RegistryProcess(compiled.path, { endpoint, port: ++lastPort, services });
    processes.push(one);
    return one;
  };
  const until = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 2 });
  /** A holder and three members, each with a service of its own. */
  const hostOfFour = async (name: string) => {
    endpoint = name;
    const holder = run();
    await until(() => expect(holder.role).toBe('holder'));
    const members = SERVICES.map((service) => run([service]));
    await until(() => {
      for (const member of members) expect(member.role).toBe('member');
      expect(holder.rules).toEqual(members.map(ownRule).sort());
    });
    return { holder, members };
  };
  const unique = (name: string) => `\0serval-test-${process.pid}-${name}`;

  it('lose a killed member within 100 ms, and hear that its connections are dead', async () => {
    const { holder, members } = await hostOfFour(unique('member'));
    const [victim, ...others] = members;
    const killed = victim!.kill();
    const deleted = `deleteRule ${ownRule(victim!)}`;
    const gone = `peerGone 127.0.0.1:${victim!.settings.port}`;
    await until(() => {
      expect(holder.toldAt(deleted)).toBeDefined();
      for (const one of [holder, ...others]) expect(one.toldAt(gone)).toBeDefined();
    });
    expect(holder.toldAt(deleted)! - killed).toBeLessThan(100);
    for (const one of [holder, ...others]) expect(one.toldAt(gone)! - killed).toBeLessThan(200);
    expect(holder.rules).toHaveLength(2);
  });

  it('hear nothing of dead connections when a member leaves in order', async () => {
    const { holder, members } = await hostOfFour(unique('leaving'));
    members[0]!.leave();
    await until(() => expect(holder.rules).toHaveLength(2));
    // The other member is killed behind it: what is told of that comes later than anything about the first.
    members[1]!.kill();
    await until(() => expect(members[2]!.toldAt(`peerGone 127.0.0.1:${members[1]!.settings.port}`)).toBeDefined());
    for (const one of [holder, members[2]!]) {
      expect(one.toldAt(`peerGone 127.0.0.1:${members[0]!.settings.port}`)).toBeUndefined();
    }
  });

  it('send nobody to a member that is stuck, and send again as soon as it answers', { timeout: 15_000 }, async () => {
    const { holder, members } = await hostOfFour(unique('stuck'));
    const [stuck, ...others] = members;
    const stopped = stuck!.stop();
    const deleted = `deleteRule ${ownRule(stuck!)}`;
    await until(() => expect(holder.toldAt(deleted)).toBeDefined());
    const took = holder.toldAt(deleted)! - stopped;
    expect(took).toBeGreaterThan(HEARTBEAT_BEATS * HEARTBEAT_INTERVAL - HEARTBEAT_INTERVAL);
    expect(took).toBeLessThan((HEARTBEAT_BEATS + 2) * HEARTBEAT_INTERVAL);
    expect(holder.rules).toEqual(others.map(ownRule).sort());
    const resumed = stuck!.resume();
    await until(() => expect(holder.rules).toHaveLength(3));
    expect(holder.toldAt(`addRule ${ownRule(stuck!)}`)! - resumed).toBeLessThan(200);
    // It was stuck, not gone: nobody has failed its connections.
    for (const one of others) expect(one.told.filter(({ kind }) => kind === 'problem')).toEqual([]);
    expect(holder.toldAt(`peerGone 127.0.0.1:${stuck!.settings.port}`)).toBeUndefined();
  });

  it('notice a holder that is stuck, which afterwards takes none of them for stuck', { timeout: 15_000 }, async () => {
    const { holder, members } = await hostOfFour(unique('stuck-holder'));
    holder.stop();
    await until(() => {
      for (const one of members) expect(one.told.map(({ kind }) => kind)).toContain('problem');
    });
    holder.resume();
    const told = holder.told.length;
    // Longer than any beat: what it found in its sockets is worked off.
    await new Promise((resolve) => setTimeout(resolve, 2 * HEARTBEAT_INTERVAL));
    expect(holder.told.slice(told)).toEqual([]);
    expect(holder.rules).toHaveLength(3);
  });

  it.each([
    ['kill', 20],
    ['leave', 3],
  ] as const)(
    'take over within 500 ms when the holder ends by %s, %i times on end',
    async (end, rounds) => {
      let { holder, members } = await hostOfFour(unique(`holder-${end}`));
      const times: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const ended = end === 'kill' ? holder.kill() : Date.now();
        if (end === 'leave') holder.leave();
        await until(() => expect(members.filter((one) => one.role === 'holder')).toHaveLength(1));
        holder = members.find((one) => one.role === 'holder')!;
        const rest = members.filter((one) => one !== holder);
        await until(() => {
          expect(holder.rules).toEqual(rest.map(ownRule).sort());
          for (const one of rest) expect(one.rules).toEqual(['0000 -> 127.0.0.1:54325']);
        });
        times.push(Math.max(...members.map((one) => one.told.findLast(isOfTakeover)!.at)) - ended);
        members = [...rest, run(holder.settings.services)];
        await until(() => expect(holder.rules).toEqual(members.map(ownRule).sort()));
        await until(() => expect(members[2]!.role).toBe('member'));
      }
      for (const one of members) expect(one.told.filter(({ kind }) => kind === 'problem')).toEqual([]);
      expect(times).toHaveLength(rounds);
      expect(Math.max(...times)).toBeLessThan(500);
    },
    60_000,
  );

  it('take over a socket file that a killed holder left behind', async () => {
    const { holder, members } = await hostOfFour(`/tmp/serval-test-${process.pid}.sock`);
    const killed = holder.kill();
    await until(() => expect(members.map((one) => one.role).sort()).toEqual(['holder', 'member', 'member']));
    const next = members.find((one) => one.role === 'holder')!;
    await until(() => expect(next.rules).toHaveLength(2));
    expect(next.told.findLast(isOfTakeover)!.at - killed).toBeLessThan(500);
  });
});

const SERVICES = ['a', 'b', 'c'].map((digit) => digit.repeat(64));

/** The rule for what the process registered. */
function ownRule({ settings }: RegistryProcess): string {
  return `${settings.services[0]!.slice(0, 4)} -> 127.0.0.1:${settings.port}`;
}

/** Rules and roles, not the `peerGone` of the old holder that follows after its grace. */
function isOfTakeover(told: { kind: string; text?: string }): boolean {
  return told.kind === 'role' || (told.kind === 'command' && !told.text!.startsWith('peerGone'));
}
