import { describe, expect, it } from 'vitest';
import { CHALLENGE_ACK_INTERVAL, CHALLENGE_ACKS_MAXIMUM } from '../../../lib/limits';
import { NEVER } from '../../../lib/time/instant';
import { TransportSignal } from '../../../lib/transport/transport';
import { TcpFlag } from '../../../lib/wire/tcp-header';
import { WirePeer } from '../wire-peer';

const { ack, fin, psh, rst, syn, urg } = TcpFlag;

describe('segments that are not acceptable (RFC 9293 3.10.7.4)', () => {
  it('answers data that came before, and does not deliver it again', () => {
    const peer = new WirePeer();
    peer.inject({ data: 2000, segments: 2 });
    expect(peer.readAll().length).toBe(2000);
    peer.take();
    peer.inject({ seq: 0, data: 2000, segments: 2 });
    expect(peer.take()).toMatchObject([{ ack: 2000, length: 0 }]);
    expect(peer.readAll().length).toBe(0);
  });

  it('answers data beyond the window and drops it', () => {
    const peer = new WirePeer();
    peer.inject({ seq: 70_000, data: 1000 });
    expect(peer.takeText()).toEqual(['0+0 A 0']);
    expect(peer.transport.statistics).toMatchObject({ unacceptable: 1, bytesReceived: 0 });
  });

  it('takes the part of a train that lies in the window', () => {
    const peer = new WirePeer({ negotiation: { localWindow: 4000 }, stream: { receiveBuffer: 4096 } });
    peer.inject({ data: 6000, segments: 6 });
    expect(peer.transport.readableBytes).toBe(4000);
    expect(peer.take().at(-1)).toMatchObject({ ack: 4000 });
  });

  it('drops a segment without ACK', () => {
    const peer = new WirePeer();
    peer.inject({ data: 100, flags: psh });
    peer.advance(1000);
    expect(peer.take()).toEqual([]);
    expect(peer.transport.readableBytes).toBe(0);
  });

  it.each([
    ['of what was never sent', 5000],
    ['older than any window', -70_000],
  ])('challenges an acknowledgment %s (RFC 5961 5.2), and drops its data', (_, to) => {
    const peer = new WirePeer();
    peer.write(1000);
    peer.take();
    peer.inject({ ack: to, data: 10 });
    expect(peer.takeText()).toEqual(['1000+0 A 0']);
    expect(peer.transport.readableBytes).toBe(0);
    expect(peer.transport.bufferedBytes).toBe(1000);
  });

  it('takes an old acknowledgment for what it is, with the data that came with it', () => {
    const peer = new WirePeer();
    peer.write(2000);
    peer.ack(2000);
    peer.inject({ ack: 1000, data: 10 });
    expect(peer.readAll().length).toBe(10);
    expect(peer.transport.bufferedBytes).toBe(0);
  });

  it('ignores the urgent pointer, but delivers the data', () => {
    const peer = new WirePeer();
    peer.inject({ data: 10, flags: ack | urg });
    expect(peer.readAll().length).toBe(10);
  });

  it('answers pure segments outside of the window so many times only (RFC 5961 7)', () => {
    const peer = new WirePeer();
    for (let count = 0; count < 50; count++) peer.inject({ seq: 100_000 });
    expect(peer.take()).toHaveLength(CHALLENGE_ACKS_MAXIMUM);
    peer.advance(CHALLENGE_ACK_INTERVAL);
    peer.inject({ seq: 100_000 });
    expect(peer.take()).toHaveLength(1);
  });
});

describe('RST and SYN within a stream (RFC 5961)', () => {
  it('resets on exactly the next sequence number', () => {
    const peer = new WirePeer();
    peer.inject({ flags: rst, seq: 0 });
    expect(peer.has(TransportSignal.reset)).toBe(true);
    expect(peer.transport.nextDeadline()).toBe(NEVER);
    expect(peer.write(10)).toBe(0);
  });

  it('resets with a closed window too', () => {
    const peer = new WirePeer({ negotiation: { localWindow: 4096 }, stream: { receiveBuffer: 4096 } });
    peer.inject({ data: 4096, segments: 5 });
    peer.inject({ flags: rst });
    expect(peer.has(TransportSignal.reset)).toBe(true);
  });

  it('challenges a RST elsewhere in the window', () => {
    const peer = new WirePeer();
    peer.inject({ flags: rst | ack, seq: 10 });
    expect(peer.takeText()).toEqual(['0+0 A 0']);
    expect(peer.has(TransportSignal.reset)).toBe(false);
  });

  it('drops a RST outside of the window without a word', () => {
    const peer = new WirePeer();
    peer.inject({ flags: rst, seq: 100_000 });
    peer.inject({ flags: rst, seq: -10 });
    expect(peer.take()).toEqual([]);
    expect(peer.has(TransportSignal.reset)).toBe(false);
  });

  it.each([0, 10, 100_000])('challenges a SYN at %i and goes on', (seq) => {
    const peer = new WirePeer();
    peer.inject({ flags: syn, seq });
    expect(peer.takeText()).toEqual(['0+0 A 0']);
    peer.inject({ seq: 0, data: 5 });
    expect(peer.readAll().length).toBe(5);
  });

  it('obeys RST over anything else in the segment', () => {
    const peer = new WirePeer();
    peer.inject({ flags: rst | ack | fin, seq: 0, data: 10 });
    expect(peer.has(TransportSignal.reset)).toBe(true);
    expect(peer.has(TransportSignal.readable | TransportSignal.ended)).toBe(false);
  });
});
