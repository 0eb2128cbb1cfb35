// Stories of a connection. Told over two networks, they must come out the same: the order of events is that
// of `node:net`.

import { once } from 'node:events';
import type net from 'node:net';
import { EventRecord } from './event-record';
import type { Network, NetworkServer } from './network';

export interface Story {
  readonly title: string;
  readonly serverOptions?: object;
  readonly clientOptions?: object;
  /** Acts on the accepted socket. */
  readonly server?: (socket: net.Socket, record: EventRecord) => void;
  /** Acts on the connecting socket, at once. */
  readonly client?: (socket: net.Socket, record: EventRecord) => void;
  /** A story without 'data' listeners leaves the streams paused. */
  readonly paused?: 'client' | 'server';
  /** Both ends act at the same time: the order of their events is chance. */
  readonly isSimultaneous?: boolean;
}

export const stories: readonly Story[] = [
  { title: 'the client ends', client: (socket) => socket.on('connect', () => socket.end()) },
  { title: 'the client ends before it is connected', client: (socket) => socket.end('hello') },
  { title: 'the server ends', server: (socket) => socket.end('goodbye') },
  {
    title: 'both write, the client ends',
    isSimultaneous: true,
    server: (s) => s.write('welcome'),
    client: (s) => s.end('hello'),
  },
  { title: 'an echo', server: (socket) => socket.pipe(socket), client: (socket) => socket.end('x'.repeat(3000)) },
  {
    title: 'a half-open server answers after the end',
    serverOptions: { allowHalfOpen: true },
    server: (socket) => socket.on('end', () => setTimeout(() => socket.end('late'), 30)),
    client: (socket) => socket.end('early'),
  },
  {
    title: 'a half-open client goes on after the end',
    clientOptions: { allowHalfOpen: true },
    server: (socket) => socket.end('early'),
    client: (socket) => socket.on('end', () => setTimeout(() => socket.end('late'), 30)),
  },
  { title: 'the client is destroyed on connect', client: (socket) => socket.on('connect', () => socket.destroy()) },
  {
    title: 'the client is destroyed with an error',
    client: (s) => s.on('connect', () => s.destroy(Object.assign(new Error('mine'), { code: 'MINE' }))),
  },
  { title: 'the server destroys', server: (socket) => socket.destroy() },
  {
    title: 'destroySoon',
    server: (socket) => {
      socket.write('last words');
      socket.destroySoon();
    },
  },
  {
    title: 'a reset by the server',
    server: (socket) => socket.on('data', () => socket.resetAndDestroy()),
    client: (socket) => socket.write('poke'),
  },
  { title: 'a reset by the client', client: (s) => s.on('connect', () => s.resetAndDestroy()) },
  { title: 'a reset while connecting', client: (socket) => socket.resetAndDestroy() },
  { title: 'destroyed while connecting', client: (socket) => socket.destroy() },
  {
    title: 'written and destroyed while connecting',
    client: (socket, record) => {
      socket.write('never', (error) => record.note(`write ${(error as NodeJS.ErrnoException)?.code}`));
      socket.destroy();
    },
  },
  {
    title: 'write callbacks',
    server: (socket) => socket.on('end', () => socket.end()),
    client: (socket, record) => {
      socket.write('one', () => record.note('wrote one'));
      socket.write('two', () => record.note('wrote two'));
      socket.end('three', () => record.note('ended'));
    },
  },
  {
    title: 'write after end',
    client: (socket, record) => {
      socket.end();
      socket.write('late', (error) => record.note(`write ${(error as NodeJS.ErrnoException).code}`));
    },
  },
  {
    title: 'write after the peer has ended',
    server: (socket) => socket.end(),
    client: (socket, record) => {
      socket.on('finish', () => {
        socket.write('late', (error) => record.note(`write ${(error as NodeJS.ErrnoException).code}`));
      });
    },
  },
  {
    title: 'idle timeout',
    server: () => {},
    client: (socket) => socket.setTimeout(30).on('timeout', () => socket.end()),
  },
  {
    title: 'idle timeout of an accepted socket',
    server: (socket) => socket.setTimeout(30, () => socket.destroy()),
  },
  {
    title: 'a paused client resumes',
    paused: 'client',
    server: (socket) => socket.end('kept'),
    client: (socket, record) => {
      socket.pause();
      setTimeout(() => {
        record.note('resume');
        socket.resume();
      }, 40);
    },
  },
  {
    title: 'a server that pauses on connect',
    serverOptions: { pauseOnConnect: true },
    paused: 'server',
    server: (socket, record) =>
      setTimeout(() => {
        record.note('resume');
        socket.resume();
      }, 40),
    client: (socket) => socket.end('kept'),
  },
  {
    title: 'an exception handler closes inside of data',
    server: (socket) => socket.write('poke'),
    client: (socket) => socket.on('data', () => socket.destroy()),
  },
  {
    title: 'both end at once',
    isSimultaneous: true,
    server: (socket) => socket.end(),
    client: (socket) => socket.end(),
  },
];

export interface Told {
  readonly client: string[];
  readonly server: string[];
}

export async function tell(story: Story, network: Network): Promise<Told> {
  const stage = await network.listen(story.serverOptions ?? {});
  const accepted: { record?: EventRecord; closed?: Promise<unknown> } = {};
  const connection = once(stage.server, 'connection');
  stage.server.on('connection', (socket: net.Socket) => {
    accepted.record = record(socket, story.paused === 'server');
    accepted.closed = new Promise((resolve) => socket.on('close', resolve));
    story.server?.(socket, accepted.record);
  });
  const client = await tellClient(story, stage);
  if (client.entries.includes('connect')) await connection;
  await accepted.closed;
  const closed = once(stage.server, 'close');
  stage.server.close();
  await closed;
  // What is simultaneous has no order.
  if (story.isSimultaneous) for (const told of [client, accepted.record]) told?.entries.sort();
  return { client: client.entries, server: accepted.record?.entries ?? [] };
}

async function tellClient(story: Story, stage: NetworkServer): Promise<EventRecord> {
  const socket = stage.socket(story.clientOptions);
  const entries = record(socket, story.paused === 'client');
  const closed = new Promise((resolve) => socket.on('close', resolve));
  stage.connect(socket);
  story.client?.(socket, entries);
  await closed;
  return entries;
}

function record(socket: net.Socket, isPaused: boolean): EventRecord {
  const events = ['connect', 'ready', 'data', 'end', 'finish', 'timeout', 'drain'];
  return new EventRecord(socket, isPaused ? events.filter((event) => event !== 'data') : events);
}
