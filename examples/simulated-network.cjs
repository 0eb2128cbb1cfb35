// The same sockets on a simulated network: a tenth of the packets is lost, and the time is not real.

const { connect, createServer } = require('serval');
const { Delay, RandomLoss, World, path } = require('serval/sim');

async function main() {
  const world = new World({ seed: 7 });
  const client = world.host('client');
  const server = world.host('server');
  world.connect(client, server, path(new Delay(10), new RandomLoss(0.1)));

  createServer('example/sink', { host: server }, (socket) => {
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    socket.on('end', () => {
      console.log(`${received} bytes arrived, in ${(world.now / 1000).toFixed(1)} s of simulated time`);
      socket.end();
    });
  }).listen();

  const socket = connect('example/sink', { host: client });
  socket.end(Buffer.alloc(1_000_000));
  await world.runAsync({ until: () => socket.closed });
}

main();
