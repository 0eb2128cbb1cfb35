// Datagrams by name: unconnected, each is resolved for itself; connected, they stay with one instance.

const serval = require('serval');

const counter = serval.createSocket();
let count = 0;
counter.on('message', (_message, from) => counter.send(String(++count), from));
counter.bind('example/counter', () => {
  const socket = serval.createSocket();
  socket.on('message', (message) => {
    console.log(`count ${message}`);
    if (String(message) === '1') socket.connect('example/counter', () => socket.send('again'));
    else {
      socket.close();
      counter.close();
    }
  });
  socket.send('once', 'example/counter');
});
