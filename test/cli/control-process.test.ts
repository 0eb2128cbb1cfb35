// The commands that show and steer, as a user runs them from a shell: what they print for people and for programs,
// how they fail, and with which status.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cells, objects, shell } from './shell';

const { serval, begin, program, port, folder } = shell();
const failed = (command: string, message: string, code: string) => ({
  code: 1,
  stdout: '',
  stderr: `serval ${command}: ${message} (${code})\n`,
});

describe('serval hosts', () => {
  it('lists the processes of this user, and who holds the port', async () => {
    const holder = await program('host');
    const member = await program('serve', 'acme/web');
    const rows = cells(await serval('hosts'));
    expect(rows[0]).toEqual(['PID', 'ROLE', 'PORT', 'LINKS', 'RULES', 'FLOWS', 'ROUTER', 'UP', 'PROGRAM']);
    const roles = new Map(rows.slice(1).map(([pid, role, , , , , , , name]) => [Number(pid), [role, name]]));
    expect(roles.get(holder.pid)).toEqual(['holder', 'service-program.cjs']);
    expect(roles.get(member.pid)).toEqual(['member', 'service-program.cjs']);
  });

  it('as JSON, and one process alone', async () => {
    const holder = await program('host');
    await program('host');
    const all = objects(await serval('hosts --json'));
    expect(all).toHaveLength(2);
    const [one, ...others] = objects(await serval(`hosts --json --process ${holder.pid}`));
    expect(others).toEqual([]);
    expect(one).toMatchObject({ pid: holder.pid, role: 'holder', wellKnownPort: port(), version: 1 });
    const [bySocket] = objects(await serval(`hosts --json --socket ${one!['socket']}`));
    expect(bySocket).toMatchObject({ pid: holder.pid });
  });

  it('tells of a process that does not answer', async () => {
    const stuck = await program('host');
    stuck.signal('SIGSTOP');
    const rows = cells(await serval('hosts'));
    stuck.signal('SIGCONT');
    expect(rows[1]).toEqual([String(stuck.pid), 'does not answer', ...'-------']);
  });

  it('a host without control interface is not seen, and neither is one of another port', async () => {
    await program('host', '', { SERVAL_CONTROL: '0' });
    await program('host', '', { SERVAL_PORT: String(port() + 20_000) });
    const message = `no process of this user uses serval on port ${port()}`;
    expect(await serval('hosts')).toEqual(failed('hosts', message, 'CONTROL_NO_PROCESS'));
    const { code, stdout } = await serval('services --json');
    expect([code, JSON.parse(stdout)]).toEqual([1, { error: { code: 'CONTROL_NO_PROCESS', message } }]);
    const [other] = objects(await serval(`hosts --json --port ${port() + 20_000}`));
    expect(other).toMatchObject({ wellKnownPort: port() + 20_000 });
  });

  it("sockets are this user's alone, and what the dead have left is cleared away", async () => {
    const dead = await program('host');
    const sockets = join(folder(), 'serval');
    expect(statSync(sockets).mode & 0o777).toBe(0o700);
    const [left] = readdirSync(sockets);
    expect(statSync(join(sockets, left!)).mode & 0o777).toBe(0o600);
    dead.signal('SIGKILL');
    await dead.ended;
    expect(readdirSync(sockets)).toEqual([left]);
    const next = await program('host');
    await expect.poll(() => readdirSync(sockets).map((name) => name.includes(`-${next.pid}.`))).toEqual([true]);
    next.signal('SIGTERM');
    await next.ended;
  });
});

describe('serval services, serval instances', () => {
  it('know what all processes of the host offer, by name and process', async () => {
    await program('host');
    const servers = [await program('serve', 'acme/web'), await program('serve', 'acme/web')];
    await program('serve', 'acme/mail');
    expect(cells(await serval('services')).sort()).toEqual([
      ['SERVICE', 'INSTANCES', 'WEIGHT', 'PACKETS'],
      ['acme/mail', '1', '1024', '0'],
      ['acme/web', '2', '2048', '0'],
    ]);
    const rows = cells(await serval('instances acme/web'));
    expect(rows[0]).toEqual(['SERVICE', 'WHERE', 'ADDRESS', 'PID', 'PRIORITY', 'WEIGHT', 'PACKETS', 'IDLE']);
    expect(
      rows
        .slice(1)
        .map(([, where, , pid]) => [where, Number(pid)])
        .sort(),
    ).toEqual(servers.map(({ pid }) => ['host', pid]).sort());
  });

  it('as JSON, and of one prefix', async () => {
    await program('serve', 'acme/web');
    await program('serve', 'other/web');
    const [web, ...others] = objects(await serval('services acme/* --json'));
    expect(others).toEqual([]);
    expect(web).toMatchObject({ name: 'acme/web', instances: 1, ejected: 0, weight: 1024, local: true });
    const [instance] = objects(await serval('instances other/web --json'));
    expect(instance).toMatchObject({ name: 'other/web', where: 'host', ejected: false, statistics: { idle: null } });
  });

  it('a name that is none', async () => {
    await program('host');
    const message = 'The service name "a//b" has an empty component';
    expect(await serval('services a//b')).toEqual(failed('services', message, 'ERR_SERVAL_INVALID_NAME'));
    expect((await serval('instances a//b --json')).code).toBe(1);
  });
});

describe('serval table', () => {
  it('shows, adds, modifies and deletes rules', async () => {
    await program('serve', 'acme/web');
    const [title, added] = cells(await serval('table add acme/far forward 192.0.2.7 --weight 3 --idle-timeout 60'));
    expect(title).toEqual(['SERVICE', 'ACTION', 'TO', 'PRIORITY', 'WEIGHT', 'PACKETS', 'DROPPED', 'IDLE']);
    expect(added).toEqual(['acme/far', 'forward', `192.0.2.7:${port()} by link 1`, '1000', '3', '0', '0', '-']);
    expect(cells(await serval('table modify acme/far --weight 5 --priority 7'))[1]!.slice(3, 5)).toEqual(['7', '5']);
    const shown = cells(await serval('table show acme/*'));
    expect(
      shown
        .slice(1)
        .map(([service, action]) => [service, action])
        .sort(),
    ).toEqual([
      ['acme/far', 'forward'],
      ['acme/web', 'demux'],
    ]);
    expect(cells(await serval('table delete acme/far'))[1]!.slice(0, 2)).toEqual(['acme/far', 'forward']);
    // `show` is what it does without a word.
    expect(
      cells(await serval('table'))
        .slice(1)
        .map(([service]) => service),
    ).toEqual(['acme/web']);
  });

  it('as JSON', async () => {
    await program('host');
    const add = 'table add acme/* drop --refuse --hard-timeout 0.5 --priority -1 --json';
    const [rule] = objects(await serval(add));
    expect(rule).toMatchObject({ name: 'acme/*', action: 'drop', refuses: true, hardTimeout: 500, priority: -1 });
    const [picker] = objects(await serval('table picker acme/* least-loaded --json'));
    expect(picker).toMatchObject({ name: 'acme/*', picker: 'least-loaded' });
  });

  it('ejects and readmits', async () => {
    await program('host');
    for (const address of ['192.0.2.1', '192.0.2.2']) await serval(`table add acme/far forward ${address}`);
    const eject = 'table modify acme/far forward 192.0.2.1';
    expect(cells(await serval(`${eject} --eject`))[1]![2]).toBe(`192.0.2.1:${port()} by link 1, ejected`);
    expect(cells(await serval('services'))[1]).toEqual(['acme/far', '1 (+1 ejected)', '1', '0']);
    expect(objects(await serval(`${eject} --readmit --json`))[0]).toMatchObject({ ejected: false });
  });

  it('shows the picker that an instance wishes, whose process has registered it', async () => {
    await program('host');
    await program('serve', 'acme/web', { PICKER: 'rendezvous' });
    await program('serve', 'acme/web');
    const rules = objects(await serval('table show acme/web --json'));
    expect(rules.map(({ picker }) => picker).sort()).toEqual(['rendezvous', undefined]);
  });

  it('says why it cannot', async () => {
    await program('serve', 'acme/web');
    const { code, stderr } = await serval('table delete acme/web');
    expect([code, stderr]).toEqual([1, expect.stringContaining('(CONTROL_SOCKET_RULE)')]);
    const json = await serval('table delete acme/none --json');
    expect([json.code, JSON.parse(json.stdout)]).toMatchObject([1, { error: { code: 'CONTROL_NO_RULE' } }]);
    expect((await serval('table add acme/web forward')).stderr).toContain('address is missing (CONTROL_FIELD)');
    const usage = await serval('table add acme/web drop --weight 0');
    expect([usage.code, usage.stderr]).toEqual([1, expect.stringContaining('a whole number from 1 to 4294967295')]);
  });
});

describe('serval flows', () => {
  it('shows both ends of a connection', async () => {
    const server = await program('serve', 'acme/web');
    const client = await program('talk', 'acme/web');
    const rows = cells(await serval('flows'));
    expect(rows[0]!.join(' ')).toBe('PID FLOW SERVICE AS STATE LOCAL REMOTE RTT SENT RECEIVED AGAIN');
    const ends = rows.slice(1).map(([pid, , service, as, state]) => [Number(pid), service, as, state]);
    expect(ends).toContainEqual([server.pid, 'acme/web', 'server', 'connected']);
    expect(ends).toContainEqual([client.pid, 'acme/web', 'client', 'connected']);
    const [one, ...others] = objects(await serval(`flows acme/web --process ${client.pid} --json`));
    expect(others).toEqual([]);
    expect(one).toMatchObject({ pid: client.pid, role: 'client', interface: 'lo', bytesSent: 5, bytesReceived: 5 });
    expect(rows.map(([, flow]) => flow)).toContain(String(one!['localFlowID']));
    expect((await serval('flows other/web --json')).stdout).toBe('');
  });

  it('again and again, until interrupted', async () => {
    await program('serve', 'acme/web');
    await program('talk', 'acme/web');
    const watching = begin('flows --watch 0.1');
    await watching.printed(/^2 flows\nPID|2 flows, \d+B\/s sent, \d+B\/s received\n/m);
    await watching.printed(/2 flows, \d+B\/s sent, \d+B\/s received\n.*\n.*acme\/web/);
    const json = begin('flows --watch 0.1 --json');
    await json.printed(/\n.*\n/);
    const [first] = json.stdout.split('\n').map((line) => line && JSON.parse(line));
    expect(first).toEqual({ time: expect.any(String), flows: [expect.anything(), expect.anything()] });
  });
});

describe('serval events', () => {
  it('tells what happens, of processes that come later, too', async () => {
    const holder = await program('host');
    const events = begin('events --json');
    const text = begin('events');
    const told = () =>
      events.stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    // Until the streams are open, a rule at a time.
    const rule = () => serval('table add acme/far drop --json');
    for (; !/ruleAdded/.test(events.stdout) || !/ruleAdded/.test(text.stdout); ) await rule();
    expect(told()[0]).toMatchObject({
      pid: holder.pid,
      event: 'ruleAdded',
      rule: { name: 'acme/far', action: 'drop' },
    });
    expect(text.stdout).toMatch(
      new RegExp(
        String.raw`^\d\d:\d\d:\d\d\.\d{3} +${holder.pid} ruleAdded acme/far action=drop priority=1000 weight=1\n`,
      ),
    );
    const server = await program('serve', 'acme/web');
    await events.printed(new RegExp(`"pid":${holder.pid},"event":"ruleAdded".*127\\.0\\.0\\.1`));
    // Its own stream opens a second later at most.
    while (!told().some(({ pid }) => pid === server.pid)) {
      await serval(`table add acme/far drop --process ${server.pid}`);
    }
    server.signal('SIGKILL');
    await events.printed(new RegExp(`"pid":${server.pid},"event":"gone"`));
  });

  it('of one process ends with it', async () => {
    const one = await program('host');
    const events = begin(`events --process ${one.pid} --json`);
    while (events.stdout === '') await serval('table add acme/far drop');
    one.signal('SIGKILL');
    expect(await events.ended).toBe(0);
  });

  it('ends quietly when its reader has gone', async () => {
    await program('host');
    const events = begin('events');
    events.child.stdout!.destroy();
    let isOver = false;
    void events.ended.then(() => {
      isOver = true;
    });
    while (!isOver) await serval('table add acme/far drop');
    expect([await events.ended, events.stderr]).toEqual([0, '']);
  });
});

describe('a command that goes on', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('ends in good order by %s, with status 0', async (signal) => {
    await program('serve', 'acme/web');
    const commands = [
      'flows --watch 0.1',
      'flows --watch 0.1 --json',
      'events',
      'events --json',
      'ping acme/web --json',
    ];
    const begun = commands.map((args) => begin(args));
    while (begun.some(({ stdout }) => stdout === '')) await serval('table add acme/far drop');
    for (const command of begun) command.signal(signal);
    for (const [index, command] of begun.entries()) {
      expect([commands[index], await command.ended, command.stderr]).toEqual([commands[index], 0, '']);
      expect(command.stdout.endsWith('\n')).toBe(true);
      expect(command.stdout).not.toContain('gone');
    }
  });

  it('one that only waits is ended by it, and what it asked for goes on', async () => {
    const server = await program('serve', 'acme/web');
    const client = await program('talk', 'acme/web');
    const drain = begin('drain acme/web');
    await expect.poll(async () => (await serval('services acme/web --json')).stdout).toBe('');
    drain.signal('SIGINT');
    expect(await drain.ended).toBe('SIGINT');
    client.signal('SIGTERM');
    expect(await server.ended).toBe(0);
  });
});

describe('serval drain', () => {
  it('returns when the last connection has ended, and the programs end by themselves', async () => {
    await program('host');
    const servers = [await program('serve', 'acme/web'), await program('serve', 'acme/web')];
    const client = await program('talk', 'acme/web');
    const drain = begin('drain acme/web');
    const idle = await Promise.race(servers.map((server) => server.ended.then(() => server)));
    client.signal('SIGTERM');
    await Promise.all(servers.map((server) => server.ended));
    await drain.ended;
    const rows = cells({ code: await drain.ended, stdout: drain.stdout, stderr: drain.stderr });
    expect(rows[0]).toEqual(['PID', 'SERVICE', 'FINISHED', 'CUT']);
    expect(rows.slice(1)).toContainEqual([String(idle.pid), 'acme/web', '0', '0']);
    expect(rows).toHaveLength(3);
    expect(objects(await serval('hosts --json'))).toHaveLength(1);
  });

  it('cuts off what is left after --timeout', async () => {
    const server = await program('serve', 'acme/web');
    const client = await program('talk', 'acme/web');
    const [drained] = objects(await serval('drain acme/* --timeout 0.1 --json'));
    expect(drained).toMatchObject({ pid: server.pid, name: 'acme/web', finished: 0, cut: 1 });
    await client.printed(/ECONNRESET/);
    expect(await server.ended).toBe(0);
  });

  it('nobody to drain', async () => {
    await program('host');
    const message = 'no process of this user listens to acme/web';
    expect(await serval('drain acme/web')).toEqual(failed('drain', message, 'CONTROL_NO_SERVICE'));
  });
});

describe('the command', () => {
  it('lists all of its commands', async () => {
    const { code, stdout } = await serval('--help');
    expect(code).toBe(0);
    for (const name of [
      'hosts',
      'services',
      'instances',
      'flows',
      'events',
      'table',
      'drain',
      'migrate',
      'ping',
      'trace',
      'router',
    ]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    }
  });

  it('a control socket that is none', async () => {
    const { code, stderr } = await serval(`hosts --socket ${folder()}/none.sock`);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    const services = await serval(`services --socket ${folder()}/none.sock`);
    expect([services.code, services.stderr]).toEqual([1, expect.stringContaining('(ENOENT)')]);
  });
});
