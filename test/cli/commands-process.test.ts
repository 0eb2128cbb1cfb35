// The command as a whole, and what the tests beside this one leave: each of its commands is run by one of them.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import packageFile from '../../package.json';
import { cells, objects, shell } from './shell';

const { serval, begin, program, port } = shell();

interface Help {
  /** `table add` and the like. */
  readonly command: string;
  readonly text: string;
}

/** Of the commands that have none below them. */
async function helpOf(...path: string[]): Promise<Help[]> {
  const { code, stdout, stderr } = await serval([...path, '--help'].join(' '));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [text, list = ''] = stdout.split('\nCommands:\n');
  const names = [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name!).filter((name) => name !== 'help');
  if (names.length === 0) return [{ command: path.join(' '), text: text! }];
  return (await Promise.all(names.map((name) => helpOf(...path, name)))).flat();
}

/** Whether some test has it in a command line. */
function isRun(tests: string, command: string): boolean {
  // `perf` has a shell of its own, which takes words.
  const words = command.replace('perf ', '').replaceAll(' ', "(', '| )");
  return new RegExp(`(serval|begin|onTerminal|perf)\\(\\s*['\`]${words}|\\[['\`]${command}`).test(tests);
}

describe('every command', () => {
  it('tells what it does, and has a test that runs it', async () => {
    const all = await helpOf();
    const commands = all.map(({ command }) => command);
    expect(commands).toEqual(expect.arrayContaining(['hosts', 'table add', 'migrate flow', 'perf client', 'demo']));
    for (const { command, text } of all) expect(text).toMatch(new RegExp(`^Usage: serval ${command} .*\\n\\n\\S.+`));
    const files = readdirSync(__dirname).filter((name) => name.endsWith('-process.test.ts'));
    const tests = files.map((name) => readFileSync(join(__dirname, name), 'utf8')).join('\n');
    expect(commands.filter((command) => !isRun(tests, command))).toEqual([]);
    expect(isRun(tests, 'table forget')).toBe(false);
  }, 60_000);

  it('and none that there is not', async () => {
    expect(await serval('--version')).toEqual({ code: 0, stdout: `${packageFile.version}\n`, stderr: '' });
    const option = await serval('flows --fast');
    expect([option.code, option.stderr]).toEqual([1, expect.stringContaining("unknown option '--fast'")]);
    const { code, stderr } = await serval('fly');
    expect([code, stderr]).toEqual([1, expect.stringContaining("unknown command 'fly'")]);
  });
});

describe('serval demo', () => {
  it('tells its story: no request fails when a replica is killed', async () => {
    const { code, stdout, stderr } = await serval('demo --seconds 1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const part of [
      /replicas {2}A \(pid \d+\) and B \(pid \d+\) listen/,
      /kill -9 {3}A dies/,
      /0 failed requests\.\n$/,
    ])
      expect(stdout).toMatch(part);
  }, 30_000);

  it('as JSON, and with a time that is none', async () => {
    const [story, ...more] = objects(await serval('demo --seconds 1 --json'));
    expect([story, more]).toEqual([
      { service: expect.any(String), before: expect.anything(), after: expect.anything() },
      [],
    ]);
    expect((await serval('demo --seconds 0')).code).toBe(1);
  }, 30_000);

  it('leaves no process behind when it is interrupted', async () => {
    const demo = begin('demo --seconds 60');
    await demo.printed(/client {4}\(pid \d+\)/);
    const pids = [...demo.stdout.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid));
    expect(pids).toHaveLength(3);
    demo.signal('SIGINT');
    expect(await demo.ended).toBe('SIGINT');
    const isAlive = (pid: number): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    await expect.poll(() => pids.filter(isAlive), { timeout: 10_000 }).toEqual([]);
  }, 30_000);
});

describe('serval table, all of its words', () => {
  it('adds rules of each kind', async () => {
    await program('host');
    const add = async (rest: string) => objects(await serval(`table add ${rest} --json`))[0];
    const common = { priority: 1000, weight: 1 };
    expect(await add('acme/all forward 192.0.2.1 --all --scope host --link 1')).toMatchObject({
      ...common,
      address: `192.0.2.1:${port()}`,
      selectAll: true,
      scope: 'host',
      link: 1,
      broadcast: false,
    });
    const broadcast = 'acme/near forward 192.0.2.255:7 --broadcast --weight 3 --priority 9';
    expect(await add(broadcast)).toMatchObject({ address: '192.0.2.255:7', broadcast: true, weight: 3, priority: 9 });
    expect(await add('acme/late delay --scope network')).toMatchObject({
      ...common,
      action: 'delay',
      scope: 'network',
    });
    expect(await add('acme/gone drop')).toMatchObject({ ...common, action: 'drop', refuses: false });
    const deleted = objects(await serval('table delete acme/all forward 192.0.2.1 --link 1 --json'));
    expect(deleted).toMatchObject([{ name: 'acme/all', action: 'forward' }]);
    const actions = cells(await serval('table show acme/*')).slice(1);
    expect(actions.map(([, action]) => action).sort()).toEqual(['delay', 'drop', 'forward']);
  });
});

describe('serval ping and trace, of datagram services', () => {
  it('ask for one when they are told to', async () => {
    await program('host');
    await program('bind', 'acme/log');
    const [answer] = objects(await serval('ping acme/log --datagram -c 1 --json'));
    expect(answer).toMatchObject({ service: 'acme/log', attempts: 1 });
    const [trace] = objects(await serval('trace acme/log --datagram --json'));
    expect(trace).toMatchObject({ hops: [{}, { kind: 'router', roundTripTime: expect.any(Number) }, {}] });
    expect((await serval('ping acme/log -c 1')).stdout).toContain('ECONNREFUSED');
  });
});

describe('serval router, the rest of its options', () => {
  it('parts of a prefix, and slow starts', async () => {
    const router = begin('router --partition cache/*=4 --slow-start 60 --json');
    await router.printed(/listening/);
    await program('serve', 'acme/web', { SERVAL_ROUTER: `127.0.0.1:${port()}`, SERVAL_PORT: String(port() + 1) });
    const weight = async () => Number(objects(await serval('instances acme/web --json'))[0]?.['weight']);
    await expect.poll(weight).toBeLessThan(1024);
    router.signal('SIGINT');
    expect(await router.ended).toBe(0);
  });
});
