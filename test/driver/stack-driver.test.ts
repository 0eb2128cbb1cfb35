// When the driver hands packets to a link, on a clock and a link of the test's own.

import { describe, expect, it, vi } from 'vitest';
import { SILENT_OBSERVER, type StreamHandle } from '../../lib/driver/handles';
import { StackDriver } from '../../lib/driver/stack-driver';
import { StackSockets } from '../../lib/driver/stack-sockets';
import { BURST_BYTES_MAXIMUM, TRANSMIT_BYTES_MAXIMUM, TRANSMIT_DELAY_MAXIMUM } from '../../lib/limits';
import { Delay } from '../../lib/sim/elements/delay';
import { path } from '../../lib/sim/path';
import { SimulatedLink } from '../../lib/sim/simulated-link';
import { World } from '../../lib/sim/world';
import { Stack } from '../../lib/stack/stack';
import { DEFAULT_RULE_PRIORITY } from '../../lib/table/service-rule';
import { type Instant, milliseconds, seconds } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { FLOW_ID_UNKNOWN, flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ReceivedBatch } from '../../lib/wire/received-batch';
import { writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { TrainJoiner } from '../../lib/wire/train-joiner';
import { createWireErrorCounters } from '../../lib/wire/wire-error';

const service = ServiceID.fromHex('1'.repeat(64))!;

/** A host with a route for everything. `sent` has the rows of each batch that a link was given. */
function host() {
  const clock = { now: 1000 };
  const network = { hasRoom: true };
  const sent: number[] = [];
  let flushes = 0;
  const stack = new Stack({ random: SeededRandom.of(1) });
  const link = stack.attachLink({ kind: 'memory', encapsulated: true, role: 'data', mtu: 1500 });
  const driver = new StackDriver(stack, {
    now: () => clock.now as Instant,
    transmit: (_link, batch) => {
      sent.push(batch.count);
      return network.hasRoom;
    },
    schedule: () => {},
    requestFlush: () => {
      flushes++;
    },
  });
  const rule = { action: 'forward', prefix: ServicePrefix.any, link, broadcast: false, scope: 'network' } as const;
  const address = NetworkAddress.parse('10.0.0.2', 4000)!;
  driver.command({ kind: 'addRule', rule: { ...rule, address, priority: DEFAULT_RULE_PRIORITY, weight: 1 } });
  driver.flush();
  const sockets = new StackSockets(driver, Promise.resolve());
  const connect = (): void => void sockets.connect(service, {}, SILENT_OBSERVER);
  return { clock, network, sent, driver, link, connect, flushes: () => flushes };
}

describe('StackDriver', () => {
  it('gathers what is done within a turn, and sends it with the flush it asked for once', () => {
    const { sent, driver, connect, flushes } = host();
    const before = flushes();
    for (let count = 0; count < 5; count++) connect();
    expect([sent, flushes() - before]).toEqual([[], 1]);
    driver.flush();
    expect(sent).toEqual([5]);
  });

  it('keeps what signaling says while a link holds a rest, and sends it when that has gone', () => {
    const { network, sent, driver, link, connect } = host();
    network.hasRoom = false;
    connect();
    driver.flush();
    for (let count = 0; count < 3; count++) connect();
    driver.flush();
    expect(sent).toEqual([1]);
    network.hasRoom = true;
    driver.writable(link);
    expect(sent).toEqual([1, 3]);
  });

  it('does not keep what is ready until the end of a long turn', () => {
    const { clock, sent, driver, connect } = host();
    connect();
    clock.now += TRANSMIT_DELAY_MAXIMUM * 0.9;
    connect();
    expect(sent).toEqual([]);
    clock.now += TRANSMIT_DELAY_MAXIMUM * 0.2;
    connect();
    expect(sent).toEqual([3]);
    connect();
    expect(sent).toEqual([3]);
    clock.now += TRANSMIT_DELAY_MAXIMUM;
    connect();
    driver.flush();
    expect(sent).toEqual([3, 2]);
  });

  it('keeps what is ready while the links start, however long that takes', () => {
    const { clock, sent, driver, connect } = host();
    driver.stack.isStarting = true;
    for (let count = 0; count < 3; count++) {
      connect();
      clock.now += 10;
    }
    expect(sent).toEqual([]);
    driver.started();
    driver.flush();
    expect(sent.reduce((sum, rows) => sum + rows)).toBeGreaterThanOrEqual(3);
  });

  it('waits with the answers to a burst until it has settled', () => {
    const { sent, driver, connect, flushes } = host();
    const before = flushes();
    driver.received(1, new ReceivedBatch(1, Buffer.alloc(1)), true);
    // What the application does in the callback and in its ticks: no flush of their own.
    connect();
    connect();
    expect([sent, flushes() - before]).toEqual([[], 0]);
    driver.settled();
    expect(sent).toEqual([2]);
    connect();
    expect(flushes() - before).toBe(1);
  });

  it('forwards at once what lies in the slab of a burst', () => {
    const { sent, driver } = host();
    driver.stack.setForwarding(true);
    const batch = new ReceivedBatch(1, Buffer.alloc(1000));
    const header = { sourceFlowID: flowID(1), destinationFlowID: FLOW_ID_UNKNOWN, protocol: 17 as const };
    const length = writeSalPacketHeader(batch.slab, 0, {
      ...header,
      destinationService: service,
      sourceService: service,
    });
    const [from, to] = ['10.0.0.3', '10.0.0.1'].map((ip) => NetworkAddress.parse(ip, 4000)!);
    new TrainJoiner(createWireErrorCounters()).append(batch, from!, to!, 0, 0, length + 500);
    driver.received(1, batch, true);
    expect(sent).toEqual([1]);
  });

  it('hands a link so many bytes at a time, whatever forty streams have to send', () => {
    const world = new World({ seed: 1 });
    const [client, server] = [world.host('client'), world.host('server')];
    world.connect(client, server, path(new Delay(milliseconds(10))));
    let received = 0;
    server.stack.receiveBudget.queue = Number.POSITIVE_INFINITY;
    server.listen(
      ServicePrefix.of(service),
      {},
      { connection: (handle) => read(handle, (bytes) => (received += bytes)) },
    );
    const batches: number[] = [];
    const transmit = vi.spyOn(SimulatedLink.prototype, 'transmit').mockImplementation(function (
      this: SimulatedLink,
      batch,
    ) {
      batches.push(batch.payloadBytes);
      return original.call(this, batch);
    });
    for (let stream = 0; stream < STREAMS; stream++) send(client.connect(service, {}, SILENT_OBSERVER));
    world.run({ until: () => received === STREAMS * STREAM_BYTES, for: seconds(60) });
    transmit.mockRestore();
    expect(received).toBe(STREAMS * STREAM_BYTES);
    const largest = Math.max(...batches);
    expect(largest).toBeLessThan(TRANSMIT_BYTES_MAXIMUM + BURST_BYTES_MAXIMUM);
    expect(largest).toBeGreaterThanOrEqual(TRANSMIT_BYTES_MAXIMUM);
  });
});

const original = SimulatedLink.prototype.transmit;
const STREAMS = 40;
const STREAM_BYTES = 2_000_000;

function read(handle: StreamHandle, count: (bytes: number) => void): void {
  handle.setObserver({ ...SILENT_OBSERVER, data: (chunk) => count(chunk.length) });
  handle.startReading();
}

/** Writes as fast as it is taken, and ends. */
function send(handle: StreamHandle): void {
  const bytes = Buffer.alloc(STREAM_BYTES);
  let written = 0;
  const write = (): void => {
    written += handle.write(bytes, written);
    if (written === STREAM_BYTES) handle.shutdown();
  };
  handle.setObserver({ ...SILENT_OBSERVER, connected: write, writable: write });
}
