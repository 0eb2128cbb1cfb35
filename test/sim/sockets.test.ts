// Sockets as applications use them, on simulated hosts: what stands above the handles runs in the event loop's
// own time, what stands below in the world's.

import http from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { Delay, milliseconds, path, RandomLoss, World } from '../../lib/sim';
import { connect, createServer } from '../../lib/socket/connections';

function twoHosts(seed: number) {
  const world = new World({ seed });
  const [client, server] = [world.host('client'), world.host('server')];
  world.connect(client, server, path(new Delay(milliseconds(50)), new RandomLoss(0.05)));
  return { world, client, server };
}

describe('sockets on simulated hosts', () => {
  it('carry what was written, both ways, to the end', async () => {
    const { world, client, server } = twoHosts(4);
    const listener = createServer('sim/echo', { host: server, allowHalfOpen: true }, (socket) => socket.pipe(socket));
    listener.listen();
    const socket = connect('sim/echo', { host: client });
    const sent = 'simulated '.repeat(20_000);
    socket.end(sent);
    const received = text(socket);
    let isThere = false;
    void received.then(() => {
      isThere = true;
    });
    expect(await world.runAsync({ until: () => isThere })).toBe(true);
    expect((await received) === sent).toBe(true);
    listener.close();
    await world.runAsync();
    expect(client.stack.connections.size + server.stack.connections.size).toBe(0);
  });

  it('tell how a flow fares: its losses cost retransmissions, and its round trip is the path', async () => {
    const { world, client, server } = twoHosts(6);
    createServer('sim/sink', { host: server }, (socket) => socket.resume()).listen();
    const socket = connect('sim/sink', { host: client });
    socket.end(Buffer.alloc(200_000));
    await world.runAsync({ until: () => socket.flows[0]?.state === 'connected' });
    expect(socket.flows[0]).toMatchObject({ retransmittedBytes: 0 });
    let last = socket.flows[0]!;
    await world.runAsync({
      until: () => {
        last = socket.flows[0] ?? last;
        return socket.closed;
      },
    });
    expect(last.retransmittedBytes).toBeGreaterThan(1000);
    expect(last.roundTripTime).toBeGreaterThanOrEqual(100);
    expect(last.roundTripTime).toBeLessThan(200);
  });

  it('carry HTTP', async () => {
    const { world, client, server } = twoHosts(5);
    const web = http.createServer((request, response) => response.end(`${request.method} ${request.url}`));
    const listener = createServer('sim/web', { host: server }, (socket) => web.emit('connection', socket));
    listener.listen();
    const createConnection = () => connect('sim/web', { host: client });
    const answers: string[] = [];
    for (const page of ['/a', '/b', '/c']) {
      const request = http.get({ path: page, createConnection }, (response) => {
        void text(response).then((body) => answers.push(body));
      });
      request.on('error', (error) => answers.push(String(error)));
    }
    expect(await world.runAsync({ until: () => answers.length === 3 })).toBe(true);
    expect(answers.sort()).toEqual(['GET /a', 'GET /b', 'GET /c']);
    listener.close();
    await world.runAsync();
    expect(world.now).toBeGreaterThan(200);
  });
});
