// §4.3 of the paper: a service is looked up in a file while the first packet to it waits. The file may change; what it
// does not name is refused at once.

const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { text } = require('node:stream/consumers');
const serval = require('serval');

const folder = mkdtempSync(join(tmpdir(), 'serval-'));
const file = join(folder, 'services.json');
const hosts = [];
let port = Number(process.env.SERVAL_PORT ?? 54325);

/** A machine of its own, as it were: hosts of different ports do not share their services. */
async function host(settings = {}) {
  const made = serval.createHost({ port: port++, broadcast: false, ...settings });
  hosts.push(made);
  await made.ready;
  return made;
}

async function serve(name) {
  const on = await host();
  const server = await serval.promises.listen('shop/cart', { host: on });
  server.on('connection', (socket) => socket.end(name));
  return `127.0.0.1:${on.configuration.port}`;
}

async function main() {
  const [first, second] = [await serve('the first server'), await serve('the second server')];
  const say = (...instances) => writeFileSync(file, JSON.stringify({ services: { 'shop/cart': instances } }));
  say(first);
  const resolver = new serval.FileResolver(file, { interval: 20 });
  const client = await host({ resolvers: [{ prefix: 'shop/*', resolver }] });
  const ask = async () => console.log(await text(serval.connect('shop/cart', { host: client })));

  await ask();
  const changed = new Promise((resolve) => resolver.onChange(resolve));
  say(second);
  await changed;
  await ask();
  await serval.promises.connect('shop/none', { host: client }).catch(({ code }) => console.log(`shop/none: ${code}`));

  for (const each of hosts) await each.close();
  rmSync(folder, { recursive: true });
}

main();
