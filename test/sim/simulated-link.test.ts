// Trains through a simulated link: cut, sent as packets, joined per instant.

import { describe, expect, it } from 'vitest';
import { Delay } from '../../lib/sim/elements/delay';
import { RandomLoss } from '../../lib/sim/elements/random-loss';
import { SimulatedNetwork } from '../../lib/sim/network';
import type { NetworkElement } from '../../lib/sim/network-element';
import { path } from '../../lib/sim/path';
import { SimulatedLink, type SimulatedLinkHandler } from '../../lib/sim/simulated-link';
import { milliseconds } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { type ReceivedBatch, ReceivedField, RowKind } from '../../lib/wire/received-batch';
import { writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { TcpFlag, writeTcpHeader } from '../../lib/wire/tcp-header';
import { TransmitBatch, TransmitFlag } from '../../lib/wire/transmit-batch';

interface Row {
  readonly sequence: number;
  readonly segments: number;
  readonly payload: string;
  readonly source: string;
}

class Receiver implements SimulatedLinkHandler {
  readonly bursts: Row[][] = [];
  readonly kept: Buffer[] = [];

  received(batch: ReceivedBatch): void {
    const rows: Row[] = [];
    for (let row = 0; row < batch.count; row++) {
      expect(batch.kind(row)).toBe(RowKind.train);
      const offset = batch.field(row, ReceivedField.offset);
      const length = batch.field(row, ReceivedField.length);
      this.kept.push(batch.take(offset, length));
      rows.push({
        sequence: batch.field(row, ReceivedField.sequence) >>> 0,
        segments: batch.field(row, ReceivedField.segments),
        payload: batch.slab.toString('latin1', offset, offset + length),
        source: String(batch.source(row)),
      });
    }
    this.bursts.push(rows);
  }

  writable(): void {}

  unreachable(): void {}

  packetTooBig(): void {}
}

function train(payload: string, segmentSize: number, destination: NetworkAddress): TransmitBatch {
  const batch = new TransmitBatch(4);
  batch.begin(destination, undefined);
  const header = { sourceFlowID: flowID(5), destinationFlowID: flowID(6), protocol: 6 };
  batch.headerEnd += writeSalPacketHeader(batch.headers, batch.headerEnd, header);
  const tcp = { sequence: 1000, acknowledgment: 1, flags: TcpFlag.ack | TcpFlag.psh, window: 10 };
  batch.headerEnd += writeTcpHeader(batch.headers, batch.headerEnd, tcp);
  batch.appendPiece(Buffer.from(payload, 'latin1'), 0, payload.length);
  batch.finish(segmentSize, TransmitFlag.train);
  return batch;
}

function twoLinks(port: number, ...elements: NetworkElement[]) {
  const network = new SimulatedNetwork(SeededRandom.of(5));
  const [a, b] = [network.kernel('a'), network.kernel('b')];
  network.connect(a, b, path(...elements));
  const links = [a, b].map((kernel) => new SimulatedLink(kernel, network.clock, { port, role: 'data', mtu: 1500 }));
  const receivers = links.map((link) => {
    const receiver = new Receiver();
    link.open(receiver);
    return receiver;
  });
  const run = (): void => {
    while (network.clock.step());
  };
  return { network, links, receivers, run };
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'.repeat(400);
const to = (port: number): NetworkAddress => NetworkAddress.parse('10.1.0.2', port)!;

describe('SimulatedLink', () => {
  for (const port of [54325, 0]) {
    it(`cuts a train into packets and joins them again (${port === 0 ? 'raw' : 'encapsulated'})`, () => {
      const { network, links, receivers, run } = twoLinks(port, new Delay(milliseconds(3)));
      links[0]!.transmit(train(LETTERS, 1000, to(port)));
      run();
      expect(network.trace.counts.get('sent')).toBe(11);
      const source = port === 0 ? '10.1.0.1' : '10.1.0.1:54325';
      expect(receivers[1]!.bursts).toEqual([[{ sequence: 1000, segments: 11, payload: LETTERS, source }]]);
    });
  }

  it('loses packets, not trains', () => {
    const { network, links, receivers, run } = twoLinks(54325, new RandomLoss(0.3));
    links[0]!.transmit(train(LETTERS, 1000, to(54325)));
    run();
    const rows = receivers[1]!.bursts.flat();
    expect(network.trace.counts.get('dropped: lost')).toBeGreaterThan(0);
    expect(rows.length).toBeGreaterThan(1);
    for (const { sequence, payload } of rows) {
      expect(payload).toBe(LETTERS.slice(sequence - 1000, sequence - 1000 + payload.length));
    }
  });

  it('spoils its slab after each burst, but not what was taken', () => {
    const { links, receivers, run } = twoLinks(54325);
    links[0]!.transmit(train(LETTERS, 1000, to(54325)));
    run();
    links[0]!.transmit(train(LETTERS.slice(0, 100), 1000, to(54325)));
    run();
    expect(receivers[1]!.kept.map((chunk) => chunk.toString('latin1'))).toEqual([LETTERS, LETTERS.slice(0, 100)]);
  });

  it('hands over several bursts when one instant brings more than a batch holds', () => {
    const { links, receivers, run } = twoLinks(54325);
    for (let index = 0; index < 200; index++)
      links[0]!.transmit(train(LETTERS.slice(index, index + 10), 1000, to(54325)));
    run();
    expect(receivers[1]!.bursts.length).toBe(4);
    expect(receivers[1]!.bursts.flat().map(({ payload }) => payload)).toEqual(
      Array.from({ length: 200 }, (_, index) => LETTERS.slice(index, index + 10)),
    );
  });

  it('hands over nothing once it is closed', () => {
    const { network, links, receivers, run } = twoLinks(54325, new Delay(milliseconds(3)));
    links[0]!.transmit(train(LETTERS, 1000, to(54325)));
    links[1]!.close();
    run();
    expect(receivers[1]!.bursts).toEqual([]);
    expect(network.trace.counts.get('dropped: nobody at the port')).toBe(11);
  });
});
