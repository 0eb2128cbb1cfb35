// How much a link alone carries over loopback, between two processes: trains one way, an acknowledgment a
// burst the other way, a fixed window. No transport and no stack: what is left of this is theirs.
// Arguments: [udp|dgram|raw] [seconds] [payload bytes a segment] [window bytes].

import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { DgramLink } from '../lib/link/dgram-link';
import type { Link, LinkHandler } from '../lib/link/link';
import { RawIpLink } from '../lib/link/raw-ip-link';
import { UdpLink } from '../lib/link/udp-link';
import { flowID } from '../lib/wire/flow-id';
import { NetworkAddress } from '../lib/wire/network-address';
import { type ReceivedBatch, ReceivedField, RowKind } from '../lib/wire/received-batch';
import { writeBareSalHeader } from '../lib/wire/sal-header';
import { TcpFlag, writeTcpHeader } from '../lib/wire/tcp-header';
import { TransmitBatch, TransmitFlag } from '../lib/wire/transmit-batch';

const [kind = 'udp', seconds = '3', segment = '1368', window = '2000000'] = process.argv.slice(2);
const segmentSize = Number(segment);

const SENDER = flowID(0x1001);
const RECEIVER = flowID(0x2002);
/** One row: 15 super-packets' worth, so that the receiver starts while the sender still sends. */
const ROW_BYTES = 46 * segmentSize;

function openLink(): Link {
  if (kind === 'dgram') return new DgramLink();
  return kind === 'raw' ? new RawIpLink() : new UdpLink();
}

function silentHandler(received: (batch: ReceivedBatch) => void, writable = (): void => {}): LinkHandler {
  return {
    received,
    writable,
    unreachable: () => {},
    packetTooBig: (_address, mtu) => console.error(`packet too big: ${mtu}`),
    failed: (error) => console.error(error),
  };
}

function appendRow(batch: TransmitBatch, to: NetworkAddress, from: number, flow: number, payload: Uint8Array): void {
  batch.begin(to, undefined);
  batch.headerEnd += writeBareSalHeader(batch.headers, batch.headerEnd, flowID(from), flowID(flow), 6);
  batch.headerEnd += writeTcpHeader(batch.headers, batch.headerEnd, fields);
  if (payload.length > 0) batch.appendPiece(payload, 0, payload.length);
  batch.finish(segmentSize, TransmitFlag.train);
}

const fields = { sequence: 0, acknowledgment: 0, flags: TcpFlag.ack as number, window: 1000 };

async function receive(): Promise<void> {
  const link = openLink();
  const acknowledgments = new TransmitBatch(4);
  const nothing = new Uint8Array(0);
  let expected = 0;
  let gaps = 0;
  let bytes = 0;
  let rows = 0;
  let chunk: Buffer | undefined;
  await link.start(
    silentHandler((batch) => {
      for (let row = 0; row < batch.count; row++) {
        if (batch.kind(row) !== RowKind.train || batch.destinationFlowID(row) !== RECEIVER) continue;
        const sequence = batch.field(row, ReceivedField.sequence);
        const length = batch.field(row, ReceivedField.length);
        if (sequence !== (expected | 0)) gaps++;
        expected = (sequence + length) >>> 0;
        // As a stream would: the bytes are handed on and stay theirs.
        chunk = batch.take(batch.field(row, ReceivedField.offset), length);
        bytes += length;
        rows++;
      }
      if (batch.count === 0) return;
      fields.acknowledgment = expected;
      appendRow(acknowledgments, batch.source(0), RECEIVER, SENDER, nothing);
      link.transmit(acknowledgments);
      acknowledgments.reset();
    }),
  );
  process.send!({ port: link.port });
  const before = process.cpuUsage();
  process.on('message', () => {
    const usage = process.cpuUsage(before);
    process.send!({ gaps, bytes, rows, chunk: chunk?.length, usage, statistics: link.statistics });
    process.disconnect();
    void link.close();
  });
}

async function send(child: ChildProcess): Promise<void> {
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const to = NetworkAddress.parse('127.0.0.1', port)!;
  const link = openLink();
  const batch = new TransmitBatch(64);
  const payload = Buffer.alloc(ROW_BYTES, 'serval');
  let sent = 0;
  let acknowledged = 0;
  let isFull = false;
  const deadline = performance.now() + Number(seconds) * 1000;
  const started = performance.now();
  const before = process.cpuUsage();
  const finished = new Promise<void>((resolve) => {
    const pump = (): void => {
      if (performance.now() > deadline) return resolve();
      while (!isFull && sent - acknowledged + ROW_BYTES <= Number(window)) {
        fields.sequence = sent % 2 ** 32;
        appendRow(batch, to, SENDER, RECEIVER, payload);
        sent += ROW_BYTES;
        if (batch.count < 16) continue;
        isFull = !link.transmit(batch);
        batch.reset();
      }
      if (batch.count > 0) isFull = !link.transmit(batch);
      batch.reset();
    };
    const received = (arrived: ReceivedBatch): void => {
      for (let row = 0; row < arrived.count; row++) {
        if (arrived.destinationFlowID(row) !== SENDER) continue;
        acknowledged += (arrived.field(row, ReceivedField.acknowledgment) - acknowledged) | 0;
      }
      pump();
    };
    const writable = (): void => {
      isFull = false;
      pump();
    };
    link.start(silentHandler(received, writable)).then(pump, console.error);
    // Lost packets are given up after a while: there is no retransmission here.
    let last = 0;
    const watch = setInterval(() => {
      if (acknowledged === last) acknowledged = sent;
      last = acknowledged;
      pump();
      if (performance.now() > deadline) clearInterval(watch);
    }, 100);
  });
  await finished;
  const elapsed = (performance.now() - started) / 1000;
  const usage = process.cpuUsage(before);
  child.send('report');
  const [report] = (await once(child, 'message')) as [Report];
  print(report, elapsed, usage, link.statistics);
  await link.close();
}

interface Report {
  readonly gaps: number;
  readonly bytes: number;
  readonly rows: number;
  readonly usage: NodeJS.CpuUsage;
  readonly statistics: Record<string, number>;
}

function print(
  report: Report,
  elapsed: number,
  usage: NodeJS.CpuUsage,
  sender: Readonly<Record<string, number>>,
): void {
  const cpu = ({ user, system }: NodeJS.CpuUsage): string => ((user + system) / 1e6 / (report.bytes / 1e9)).toFixed(2);
  const notable = (counters: Readonly<Record<string, number>>): string =>
    Object.entries(counters)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  console.log(`${kind}: ${((report.bytes * 8) / elapsed / 1e9).toFixed(2)} Gbit/s in ${segmentSize} byte segments`);
  console.log(`  CPU seconds per GB: sender ${cpu(usage)}, receiver ${cpu(report.usage)}`);
  console.log(`  rows of ${Math.round(report.bytes / report.rows)} bytes, ${report.gaps} gaps`);
  console.log(`  sender: ${notable(sender)}`);
  console.log(`  receiver: ${notable(report.statistics)}`);
}

function pin(pid: number, cpu: number): void {
  spawnSync('taskset', ['-cp', String(cpu), String(pid)], { stdio: 'ignore' });
}

if (process.env['SERVAL_LINK_RECEIVER'] === '1') {
  void receive();
} else {
  const child = fork(__filename, process.argv.slice(2), { env: { ...process.env, SERVAL_LINK_RECEIVER: '1' } });
  pin(child.pid!, 1);
  pin(process.pid, 0);
  void send(child);
}
