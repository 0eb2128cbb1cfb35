// §4.3 of the paper, mechanisms side by side: hosts of one site ask its router; the router knows what is registered
// there, and looks up the rest: in this case the router of another site, which knows its servers. Nobody knows it all.

const { text } = require('node:stream/consumers');
const serval = require('serval');

let port = Number(process.env.SERVAL_PORT ?? 54325);
const common = { broadcast: false };

async function main() {
  const remote = serval.createRouter({ port: port++, ...common });
  // Asked for `archive/*` alone; its answer holds for a minute, and for all of the prefix.
  const directory = {
    async resolve() {
      const prefix = serval.servicePrefix('archive/*');
      return { instances: [`127.0.0.1:${remote.port}`], lifetime: 60_000, prefix };
    },
  };
  const resolvers = [{ prefix: 'archive/*', resolver: directory }];
  const local = serval.createRouter({ port: port++, resolvers, ...common });
  await Promise.all([remote.ready, local.ready]);

  const server = serval.createHost({ port: port++, router: `127.0.0.1:${remote.port}`, ...common });
  const client = serval.createHost({ port: port++, router: `127.0.0.1:${local.port}`, ...common });
  const listening = await serval.promises.listen('archive/1969', { host: server });
  listening.on('connection', (socket) => socket.end('found at the other site'));

  console.log(await text(serval.connect('archive/1969', { host: client })));
  const { routers } = await client.ping(serval.serviceID('archive/1969'));
  console.log(`by way of ${routers.length} routers`);
  for (const each of [client, server, local, remote]) await each.close();
}

main();
