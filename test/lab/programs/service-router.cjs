// A service router. Tells how many instances it knows whenever that changes; closes in good order on 'close'.

const { createRouter } = require('../../../dist/index.js');

const tell = (message) => process.connected && process.send(message);
const router = createRouter();
let last;

router.ready.then(() => {
  tell({ ready: true });
  setInterval(() => {
    const instances = router.instances().length;
    if (instances !== last) tell({ instances });
    last = instances;
  }, 10);
});
process.on('message', () => router.close().then(() => process.exit(0)));
process.on('disconnect', () => process.exit());
