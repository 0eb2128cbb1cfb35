// §4.1 of the paper: a server binds a prefix, and the longest matching prefix decides who gets a connection.

const serval = require('serval');

const answer = (text) => (socket) => socket.end(`${text} served ${socket.localServiceID.toString().slice(0, 20)}...\n`);
const all = serval.createServer(answer('the server of shop/*'));
const cart = serval.createServer(answer('the server of shop/cart'));

async function ask(name) {
  const socket = await serval.promises.connect(name);
  for await (const chunk of socket) process.stdout.write(`${name}: ${chunk}`);
}

all.listen('shop/*', () => {
  cart.listen('shop/cart', async () => {
    await ask('shop/books');
    await ask('shop/cart');
    all.close();
    cart.close();
  });
});
