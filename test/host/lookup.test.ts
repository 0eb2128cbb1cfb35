// Between the policy and a resolver, and whole hosts that look services up (§4.3, P40).

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  connect,
  createHost,
  createSocket,
  FileResolver,
  type Host,
  type HostOptions,
  promises,
  servicePrefix,
} from '../../lib';
import { OnDemandLookup } from '../../lib/controller/policies/on-demand-lookup';
import { Lookup } from '../../lib/host/lookup';
import { DELAYED_PER_SERVICE } from '../../lib/limits';
import type { Resolution } from '../../lib/resolver/resolver';
import { serviceID } from '../../lib/socket/service-name';
import { drain, NOW, told } from '../controller/commands';
import { ScriptedResolver } from '../resolver/scripted-resolver';

describe('Lookup', () => {
  const acme = servicePrefix('acme/*');
  const web = serviceID('acme/web');

  function lookup(port: number | undefined = 54325) {
    const resolver = new ScriptedResolver();
    const policy = new OnDemandLookup({ prefix: acme, link: 1 });
    const problems: string[] = [];
    const run = vi.fn();
    const context = { now: () => NOW, run, problem: (error: Error) => void problems.push(error.message) };
    const controller = new Lookup({ policy, resolver, prefix: acme, port }, context);
    drain(controller);
    const ask = () => controller.handleEvent({ kind: 'delayed', serviceID: web, at: NOW }, NOW);
    const answered = async (resolution: Resolution) => {
      ask();
      resolver.questions.at(-1)!.answer(resolution);
      await vi.waitFor(() => expect(run).toHaveBeenCalled());
      run.mockClear();
      return told(controller);
    };
    return { resolver, policy, controller, problems, run, ask, answered };
  }

  it('asks, and makes rules of the answer', async () => {
    const { answered } = lookup();
    const block = web.toString().slice(0, 4);
    expect(await answered({ instances: ['192.0.2.1', '[2001:db8::1]:99'], lifetime: 1000 })).toEqual([
      `addRule forward ${block}/256 -> 192.0.2.1:54325`,
      `addRule forward ${block}/256 -> [2001:db8::1]:99`,
      `addRule drop ${block}/256`,
      'releaseDelayed /256',
    ]);
  });

  it('has no ports on a link without', async () => {
    const { answered } = lookup(0);
    const [rule] = await answered({ instances: ['192.0.2.1'], lifetime: 1000 });
    expect(rule).toMatch(/192\.0\.2\.1$/);
  });

  it('takes no more of an answer than it is asked for', async () => {
    const { answered } = lookup();
    const answer = { instances: ['192.0.2.1'], lifetime: 1000, prefix: servicePrefix('*') };
    const [forward, , release] = await answered(answer);
    expect([forward, release]).toEqual([expect.stringContaining('/64 ->'), 'releaseDelayed /64']);
  });

  it.each<[string, unknown]>([
    ['must be an object', undefined],
    ['instances must be a list', { lifetime: 1 }],
    ['is no address', { instances: ['web.example'], lifetime: 1 }],
    ['not the address of one host', { instances: ['224.0.0.1'], lifetime: 1 }],
    ['priority', { instances: [{ address: '192.0.2.1', priority: 1001 }], lifetime: 1 }],
    ['weight', { instances: [{ address: '192.0.2.1', weight: 0 }], lifetime: 1 }],
    ['lifetime', { instances: [], lifetime: '60' }],
    ['idleTimeout', { instances: [], lifetime: 1, idleTimeout: Number.NaN }],
    ['does not hold the service', { instances: [], lifetime: 1, prefix: servicePrefix('corp/*') }],
    ['must be a ServicePrefix', { instances: [], lifetime: 1, prefix: 'acme/*' }],
  ])('makes no rule of a wrong answer, and says what is wrong: %s', async (reason, answer) => {
    const { answered, problems, policy } = lookup();
    expect(await answered(answer as Resolution)).toEqual([]);
    expect(problems).toEqual([expect.stringContaining(reason)]);
    expect(policy.counts.failed).toBe(1);
  });

  it('says once what fails again and again, and asks again', async () => {
    const { ask, resolver, controller, problems, run } = lookup();
    ask();
    for (let count = 1; count <= 3; count++) {
      resolver.questions.at(-1)!.fail(new Error('no server'));
      await vi.waitFor(() => expect(run).toHaveBeenCalledTimes(count));
      controller.handleDeadline(controller.nextDeadline());
      expect(resolver.questions).toHaveLength(count + 1);
    }
    expect(problems).toHaveLength(1);
  });

  it('aborts what nobody waits for, and hears nothing more of it', async () => {
    const { ask, resolver, controller, run } = lookup();
    ask();
    controller.handleEvent({ kind: 'abandoned', serviceID: web }, NOW);
    const [question] = resolver.questions;
    expect(question!.signal.aborted).toBe(true);
    question!.answer({ instances: ['192.0.2.1'], lifetime: 1000 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(drain(controller)).toEqual([]);
    expect(run).not.toHaveBeenCalled();
  });

  it('passes on what has changed', async () => {
    const { answered, resolver, controller, run } = lookup();
    await answered({ instances: ['192.0.2.1'], lifetime: 1000 });
    resolver.changed!(acme);
    expect(run).toHaveBeenCalledTimes(1);
    expect(drain(controller).map(({ kind }) => kind)).toEqual(['deleteRule', 'deleteRule']);
  });

  it('aborts everything when it is closed, and listens no longer', () => {
    const { ask, resolver, controller } = lookup();
    ask();
    controller.close();
    expect(resolver.questions[0]!.signal.aborted).toBe(true);
    expect(resolver.changed).toBeUndefined();
  });
});

describe('hosts that look services up', () => {
  const hosts: Host[] = [];
  let lastPort = 50_000 + (process.pid % 10_000);

  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.close()));
  });

  async function start(options: HostOptions = {}): Promise<Host> {
    const host = createHost({ port: ++lastPort, broadcast: false, ...options });
    hosts.push(host);
    await host.ready;
    return host;
  }

  const serve = (host: Host, name: string, answer: string) =>
    promises.listen(name, { host }).then((server) => {
      // The end of a test may come before the end of a connection.
      server.on('connection', (socket) => socket.on('error', () => {}).end(answer));
    });

  /** What becomes of a connect to a service that nobody has. */
  async function refused(client: Host, resolver: ScriptedResolver): Promise<unknown[]> {
    const failed = once(connect('acme/none', { host: client }), 'error');
    const asked = resolver.questions.length + 1;
    await vi.waitFor(() => expect(resolver.questions).toHaveLength(asked));
    resolver.questions.at(-1)!.answer({ instances: [], lifetime: 60_000 });
    return failed;
  }

  it('asks once for all who wait, and releases them with the answer', async () => {
    const server = await start();
    await serve(server, 'acme/web', 'found');
    const resolver = new ScriptedResolver();
    const client = await start({ resolvers: [{ prefix: 'acme/*', resolver }] });
    const waiting = [1, 2, 3].map(() => text(connect('acme/web', { host: client })));
    await vi.waitFor(() => expect(resolver.questions).toHaveLength(1));
    const { port } = server.configuration;
    resolver.questions[0]!.answer({ instances: [`127.0.0.1:${port}`], lifetime: 60_000 });
    expect(await Promise.all(waiting)).toEqual(['found', 'found', 'found']);
    expect(await text(connect('acme/web', { host: client }))).toBe('found');
    expect(resolver.questions).toHaveLength(1);
  });

  it('refuses at once what the directory does not know, and does not ask again', async () => {
    const resolver = new ScriptedResolver();
    const client = await start({ resolvers: [{ prefix: 'acme/*', resolver }] });
    const first = once(connect('acme/none', { host: client }), 'error');
    await vi.waitFor(() => expect(resolver.questions).toHaveLength(1));
    resolver.questions[0]!.answer({ instances: [], lifetime: 60_000 });
    expect((await first)[0]).toMatchObject({ code: 'ECONNREFUSED' });
    const [error] = await once(connect('acme/none', { host: client }), 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    const sender = createSocket({ host: client });
    const sent = await new Promise((resolve) => sender.send('hello', 'acme/none', resolve));
    expect(sent).toMatchObject({ code: 'ECONNREFUSED' });
    sender.close();
    expect(resolver.questions).toHaveLength(1);
    expect(client.statistics().stack.ruleRefused).toBe(3);
  });

  it('finds what another process of the host offers, though the directory does not know it', async () => {
    // Two hosts of one port are two processes of one machine.
    const port = ++lastPort;
    const holder = await start({ port });
    await serve(holder, 'acme/here', 'here');
    const resolver = new ScriptedResolver();
    const member = await start({ port, resolvers: [{ prefix: 'acme/*', resolver }] });
    expect([holder.role, member.role]).toEqual(['holder', 'member']);
    const found = text(connect('acme/here', { host: member }));
    await vi.waitFor(() => expect(resolver.questions).toHaveLength(1));
    resolver.questions[0]!.answer({ instances: [], lifetime: 60_000 });
    expect(await found).toBe('here');
    const [error] = await refused(member, resolver);
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is refused by an instance that has no such service any more, and waits for no other answer', async () => {
    const server = await start();
    const resolver = new ScriptedResolver();
    const client = await start({ resolvers: [{ prefix: 'acme/*', resolver }] });
    const failed = once(connect('acme/gone', { host: client }), 'error');
    await vi.waitFor(() => expect(resolver.questions).toHaveLength(1));
    resolver.questions[0]!.answer({ instances: [`127.0.0.1:${server.configuration.port}`], lifetime: 60_000 });
    expect((await failed)[0]).toMatchObject({ code: 'ECONNREFUSED' });
    expect(resolver.questions).toHaveLength(1);
  });

  it('gives the question up when the socket is destroyed', async () => {
    const resolver = new ScriptedResolver();
    const client = await start({ resolvers: [{ prefix: '*', resolver }] });
    const socket = connect('acme/web', { host: client });
    await vi.waitFor(() => expect(resolver.questions).toHaveLength(1));
    socket.destroy();
    await vi.waitFor(() => expect(resolver.questions[0]!.signal.aborted).toBe(true));
  });

  it('holds back so many datagrams for a service, drops the oldest of more, and counts them', async () => {
    const server = await start();
    const heard: string[] = [];
    const receiver = createSocket({ host: server });
    receiver.on('message', (message) => void heard.push(String(message)));
    receiver.bind('acme/log');
    await once(receiver, 'listening');
    const resolver = new ScriptedResolver();
    const client = await start({ resolvers: [{ prefix: 'acme/*', resolver }] });
    const sender = createSocket({ host: client });
    for (let index = 0; index < DELAYED_PER_SERVICE + 3; index++) sender.send(`${index}`, 'acme/log');
    await vi.waitFor(() => expect(resolver.questions).toHaveLength(1));
    expect(client.statistics().stack.delayDropped).toBe(3);
    resolver.questions[0]!.answer({ instances: [`127.0.0.1:${server.configuration.port}`], lifetime: 60_000 });
    await vi.waitFor(() => expect(heard).toHaveLength(DELAYED_PER_SERVICE));
    expect(heard).toEqual(Array.from({ length: DELAYED_PER_SERVICE }, (_, index) => `${index + 3}`));
    sender.close();
    receiver.close();
  });

  it('goes by the longest of several prefixes', async () => {
    const [wide, narrow] = [new ScriptedResolver(), new ScriptedResolver()];
    const resolvers = [
      { prefix: '*', resolver: wide },
      { prefix: 'acme/*', resolver: narrow },
    ];
    const client = await start({ resolvers });
    for (const name of ['acme/web', 'corp/web']) connect(name, { host: client }).on('error', () => {});
    await vi.waitFor(() => expect([wide, narrow].map(({ questions }) => questions.length)).toEqual([1, 1]));
    expect(String(narrow.questions[0]!.serviceID)).toBe(String(serviceID('acme/web')));
    expect(String(wide.questions[0]!.serviceID)).toBe(String(serviceID('corp/web')));
  });

  it('follows a file that changes under it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'serval-lookup-'));
    const path = join(folder, 'services.json');
    const [old, fresh] = [await start(), await start()];
    await serve(old, 'acme/web', 'old');
    await serve(fresh, 'acme/web', 'new');
    const say = (host: Host) =>
      writeFileSync(path, JSON.stringify({ services: { 'acme/web': [`127.0.0.1:${host.configuration.port}`] } }));
    say(old);
    const resolver = new FileResolver(path, { interval: 5 });
    const client = await start({ resolvers: [{ prefix: 'acme/*', resolver }] });
    expect(await text(connect('acme/web', { host: client }))).toBe('old');
    say(fresh);
    await vi.waitFor(async () => expect(await text(connect('acme/web', { host: client }))).toBe('new'));
    rmSync(folder, { recursive: true });
  });

  it('reads files of services from the environment', () => {
    vi.stubEnv('SERVAL_RESOLVERS', 'acme/*=/etc/serval/acme.json, *=/etc/serval/all.json');
    const host = createHost({ port: ++lastPort, broadcast: false });
    hosts.push(host);
    vi.unstubAllEnvs();
    const routes = host.configuration.resolvers;
    expect(routes.map(({ prefix }) => String(prefix))).toEqual(
      [servicePrefix('acme/*'), servicePrefix('*')].map(String),
    );
    expect(routes.map(({ resolver }) => (resolver as FileResolver).path)).toEqual([
      '/etc/serval/acme.json',
      '/etc/serval/all.json',
    ]);
  });

  it.each<[unknown, string]>([
    [7, 'a list of resolvers'],
    ['acme/*', 'NAME=FILE'],
    [[{ prefix: 'acme/*' }], 'no method resolve'],
    [[{ prefix: 'a//b', resolver: new ScriptedResolver() }], 'empty component'],
    [[null], 'each must be { prefix, resolver }'],
    [[{ prefix: 'a', resolver: new ScriptedResolver(), broadcast: 1 }], 'must be a boolean'],
    [['a', 'a'].map((prefix) => ({ prefix, resolver: new ScriptedResolver() })), 'two resolvers'],
  ])('refuses %o', (resolvers, reason) => {
    expect(() => createHost({ resolvers: resolvers as never })).toThrow(reason);
  });
});
