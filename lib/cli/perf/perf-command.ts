// The arguments of `serval perf`. The letters are those of iperf3.

import { Command } from 'commander';
import { runClient } from './client-command';
import {
  PERF_DATAGRAM_DEFAULT,
  PERF_DATAGRAM_RATE_DEFAULT,
  PERF_INTERVAL_DEFAULT,
  PERF_INTERVAL_MAXIMUM,
  PERF_INTERVAL_MINIMUM,
  PERF_SECONDS_DEFAULT,
  PERF_WRITE_DEFAULT,
} from './perf-limits';
import { runServer } from './server-command';
import { BOUNDS, type Bounds } from './test-parameters';

export function perfCommand(): Command {
  const perf = new Command('perf').description('how fast a service can be reached: a server, and clients that measure');
  perf
    .command('server')
    .argument('<service>', 'the name to serve')
    .description('serve perf tests under this name, until interrupted')
    .action(runServer);
  perf
    .command('client')
    .argument('<service>', 'the name of a perf server')
    .description('measure throughput, loss and round trips to a perf server')
    .option('-P, --parallel <n>', `streams at the same time, ${range(BOUNDS.streams)} (default: 1)`)
    .option('-t, --time <seconds>', `how long to send, ${range(BOUNDS.seconds)} (default: ${PERF_SECONDS_DEFAULT})`)
    .option('-n, --bytes <n>', 'how much to send in all, instead of --time; 1M is 1,000,000')
    .option('-R, --reverse', 'the server sends')
    .option('-u, --datagram', 'datagrams instead of streams: loss, order and jitter')
    .option('-b, --rate <bits>', `bits a second of each stream, ${RATE_RANGE} (default: ${RATE_DEFAULT})`)
    .option('-l, --length <bytes>', `bytes of a datagram or of one write to a stream (default: ${LENGTH_DEFAULT})`)
    .option('-i, --interval <seconds>', `between two lines of the report, ${INTERVAL_RANGE}`)
    .option('-J, --json', 'print one JSON object instead of text')
    .action(runClient);
  return perf;
}

function range({ minimum, maximum }: Bounds): string {
  return `${minimum} to ${maximum}`;
}

const INTERVAL_RANGE = `${PERF_INTERVAL_MINIMUM} to ${PERF_INTERVAL_MAXIMUM} (default: ${PERF_INTERVAL_DEFAULT})`;
const RATE_RANGE = `${BOUNDS.rate.minimum / 1e3}k to ${BOUNDS.rate.maximum / 1e9}G`;
const RATE_DEFAULT = `${PERF_DATAGRAM_RATE_DEFAULT / 1e6}M for datagrams, else no limit`;
const LENGTH_DEFAULT = `${PERF_DATAGRAM_DEFAULT}, ${PERF_WRITE_DEFAULT}`;
