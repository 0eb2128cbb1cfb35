import { describe, expect, it } from 'vitest';
import { TransportSignal } from '../../../lib/transport/transport';
import { TcpFlag } from '../../../lib/wire/tcp-header';
import { WirePeer } from '../wire-peer';

const FIN = TcpFlag.fin | TcpFlag.ack;

describe('the end of a stream', () => {
  it('rides on the last segment, and its acknowledgment finishes', () => {
    const peer = new WirePeer();
    peer.do((transport, now) => transport.write(Buffer.alloc(1500), 0, now));
    peer.take();
    peer.ack(1500);
    peer.do((transport, now) => {
      transport.write(Buffer.alloc(1500), 0, now);
      transport.shutdown(now);
    });
    expect(peer.takeText()).toEqual(['1500+1000 A 0', '2500+500 FPA 0']);
    peer.ack(3000);
    expect(peer.transport.finAcknowledged).toBe(false);
    peer.ack(3001);
    expect(peer.transport.finAcknowledged).toBe(true);
    expect(peer.has(TransportSignal.finished)).toBe(true);
  });

  it('goes alone when there is nothing to send', () => {
    const peer = new WirePeer();
    peer.shutdown();
    expect(peer.takeText()).toEqual(['0+0 FA 0']);
    expect(peer.write(10)).toBe(0);
  });

  it('is sent again, after a timeout that doubles', () => {
    const peer = new WirePeer({ negotiation: { selective: false } });
    peer.shutdown();
    peer.advance(7100);
    expect(peer.take().map(({ at, flags }) => [at - 10_000, flags])).toEqual([
      [0, 'FA'],
      [1000, 'FA'],
      [3000, 'FA'],
      [7000, 'FA'],
    ]);
  });

  it('waits for the congestion and the receive window like everything else', () => {
    const peer = new WirePeer({ negotiation: { peerWindow: 2000 } });
    peer.do((transport, now) => {
      transport.write(Buffer.alloc(2000), 0, now);
      transport.shutdown(now);
    });
    expect(peer.takeText()).toEqual(['0+1000 A 0', '1000+1000 PA 0']);
    peer.ack(2000, [], 1000);
    expect(peer.takeText()).toEqual(['2000+0 FA 0']);
  });

  it('of the peer ends reading, in order', () => {
    const peer = new WirePeer();
    peer.inject({ data: 10, flags: FIN });
    expect(peer.takeText()).toEqual(['0+0 A 11']);
    expect(peer.has(TransportSignal.ended)).toBe(true);
    expect(peer.readAll().length).toBe(10);
    expect(peer.transport.peerEnded).toBe(true);
  });

  it('of the peer waits until the gap before it is filled', () => {
    const peer = new WirePeer();
    peer.inject({ seq: 1000, data: 500, flags: FIN });
    expect(peer.take()).toMatchObject([{ ack: 0, sack: [[1000, 1500]] }]);
    expect(peer.transport.peerEnded).toBe(false);
    peer.inject({ seq: 0, data: 1000 });
    expect(peer.takeText()).toEqual(['0+0 A 1501']);
    expect(peer.readAll().length).toBe(1500);
    expect(peer.transport.peerEnded).toBe(true);
  });

  it('leaves the other direction open (half-close)', () => {
    const peer = new WirePeer();
    peer.inject({ flags: FIN });
    peer.take();
    peer.write(3000);
    peer.ack(3000);
    peer.shutdown();
    expect(peer.takeText()).toEqual(['0+1000 A 1', '1000+1000 A 1', '2000+1000 PA 1', '3000+0 FA 1']);
    peer.ack(3001);
    expect(peer.transport.finAcknowledged).toBe(true);
  });

  it('may come from both sides at once', () => {
    const peer = new WirePeer();
    peer.shutdown();
    peer.inject({ flags: FIN, ack: 0 });
    expect(peer.takeText()).toEqual(['0+0 FA 0', '1+0 A 1']);
    peer.inject({ seq: 1, ack: 1 });
    expect(peer.transport.finAcknowledged && peer.transport.peerEnded).toBe(true);
  });

  it('is acknowledged again when it comes again', () => {
    const peer = new WirePeer();
    peer.inject({ flags: FIN });
    peer.take();
    peer.inject({ seq: 0, flags: FIN });
    expect(peer.takeText()).toEqual(['0+0 A 1']);
  });

  it('is final: data behind it is ignored', () => {
    const peer = new WirePeer();
    peer.inject({ data: 10, flags: FIN });
    peer.readAll();
    peer.inject({ seq: 11, data: 1000 });
    peer.inject({ seq: 10, data: 1000 });
    expect(peer.readAll().length).toBe(0);
    expect(peer.take().at(-1)).toMatchObject({ ack: 11 });
  });

  it('cannot be moved by a second FIN', () => {
    const peer = new WirePeer();
    peer.inject({ seq: 1000, data: 1000, flags: FIN });
    peer.inject({ seq: 2000, data: 1000, flags: FIN });
    peer.inject({ seq: 0, data: 1000 });
    expect(peer.readAll().length).toBe(2000);
    expect(peer.transport.peerEnded).toBe(true);
    expect(peer.take().at(-1)).toMatchObject({ ack: 2001 });
  });

  it('fits into a closed window', () => {
    const peer = new WirePeer({ negotiation: { localWindow: 4096 }, stream: { receiveBuffer: 4096 } });
    peer.inject({ data: 4096, segments: 5 });
    peer.take();
    peer.inject({ flags: FIN });
    expect(peer.take()).toMatchObject([{ ack: 4097, window: 0 }]);
    expect(peer.transport.peerEnded).toBe(true);
  });

  it('comes with the FIN of the SAL from the original, and takes no sequence number then', () => {
    const peer = new WirePeer();
    peer.inject({ data: 10 });
    peer.do((transport, now) => transport.endOfStream(now));
    expect(peer.has(TransportSignal.ended)).toBe(true);
    expect(peer.readAll().length).toBe(10);
    peer.advance(100);
    expect(peer.take().at(-1)).toMatchObject({ ack: 10 });
  });

  it('comes with the FIN of the SAL only behind a gap that is still to be filled', () => {
    const peer = new WirePeer();
    peer.inject({ seq: 1000, data: 1000 });
    peer.do((transport, now) => transport.endOfStream(now));
    expect(peer.transport.peerEnded).toBe(false);
    peer.inject({ seq: 0, data: 1000 });
    expect(peer.has(TransportSignal.ended)).toBe(true);
    expect(peer.readAll().length).toBe(2000);
  });
});
