// Asks a service as fast as it answers, so many requests at a time, each on a connection of its own. On 'report' it says
// what there was so far; on 'stop' it begins no more, and reports when the last has ended.
// loading-client.cjs SERVICE CONCURRENCY

const serval = require('../../../dist/index.js');

const [service, concurrency] = process.argv.slice(2);
const report = { requests: 0, failures: [], servers: [], slowest: 0 };
const servers = new Set();
let isStopping = false;
let open = 0;
let number = 0;

function ask() {
  open++;
  const startedAt = performance.now();
  const request = `request ${number++}`;
  const socket = serval.connect(service, () => socket.write(request));
  let answer = '';
  let code;
  socket.setEncoding('latin1');
  socket.on('data', (text) => {
    answer += text;
  });
  socket.on('error', (error) => {
    code = error.code;
  });
  socket.on('close', () => {
    const took = performance.now() - startedAt;
    report.requests++;
    report.slowest = Math.max(report.slowest, took);
    if (code === undefined && answer.startsWith(`${request} `)) servers.add(Number(answer.slice(request.length + 1)));
    else report.failures.push({ code: code ?? `answered '${answer}'`, took, number: report.requests });
    open--;
    if (!isStopping) ask();
    else if (open === 0) tell();
  });
}

function tell() {
  process.send({ ...report, servers: [...servers] });
}

process.on('message', (order) => {
  if (order === 'stop') isStopping = true;
  else tell();
});
process.on('disconnect', () => process.exit());
for (let count = 0; count < Number(concurrency); count++) ask();
