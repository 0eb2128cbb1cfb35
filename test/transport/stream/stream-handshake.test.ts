import { describe, expect, it } from 'vitest';
import { RECEIVE_BUFFER_MAXIMUM } from '../../../lib/limits';
import { StreamHandshake } from '../../../lib/transport/stream/stream-handshake';
import { parseTcpHeader, TcpFlag, writeTcpHeader } from '../../../lib/wire/tcp-header';
import { TcpOptions } from '../../../lib/wire/tcp-options';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** Captured (a-tcp): SYN and SYN-ACK of the original, TCP header and options. */
const CAPTURED_SYN = hex('0000 0000 1234 5678 0000 0000 7002 0000 0000 0000 0204 05a8 0103 0301');

function pair(): [StreamHandshake, StreamHandshake] {
  const options = { maximumSegment: 1448, receiveBuffer: 65_535 };
  return [
    new StreamHandshake({ ...options, initialSequence: 0xffff_ffff }),
    new StreamHandshake({ ...options, initialSequence: 7 }),
  ];
}

function optionsOf(bytes: Uint8Array, length: number): TcpOptions {
  const header = parseTcpHeader(bytes, 0, length);
  if (typeof header === 'string') throw new Error(header);
  const options = new TcpOptions();
  expect(options.parse(bytes, header.optionsOffset, header.optionsLength)).toBeUndefined();
  return options;
}

describe('StreamHandshake', () => {
  it('agrees on sequence numbers, segment size, scale and SACK', () => {
    const [client, server] = pair();
    const bytes = new Uint8Array(60);
    expect(server.handleSyn(bytes, 0, client.writeSyn(bytes, 0))).toBe(true);
    expect(client.handleSynAck(bytes, 0, server.writeSynAck(bytes, 0))).toBe(true);
    expect(server.handleAck(bytes, 0, client.writeAck(bytes, 0))).toBe(true);
    expect(client).toMatchObject({ localSequence: 0xffff_ffff, peerSequence: 7, peerMaximumSegment: 1448 });
    expect(server).toMatchObject({ localSequence: 7, peerSequence: 0xffff_ffff, selective: true });
    const { peerWindow, peerWindowShift, localWindowShift } = server;
    expect(peerWindowShift).toBe(localWindowShift);
    expect(RECEIVE_BUFFER_MAXIMUM >>> localWindowShift).toBeLessThanOrEqual(0xffff);
    expect(peerWindow).toBe((65_535 >>> peerWindowShift) << peerWindowShift);
  });

  it('takes the SYN of the original: window 0, no SACK, scale 1', () => {
    const [, server] = pair();
    expect(server.handleSyn(CAPTURED_SYN, 0, CAPTURED_SYN.length)).toBe(true);
    expect(server).toMatchObject({
      peerSequence: 0x1234_5678,
      peerMaximumSegment: 1448,
      peerWindowShift: 1,
      selective: false,
      peerWindow: 0,
    });
    const bytes = new Uint8Array(60);
    const options = optionsOf(bytes, server.writeSynAck(bytes, 0));
    expect(options).toMatchObject({ sackPermitted: false, maximumSegmentSize: 1448 });
    expect(options.windowScale).toBeGreaterThan(0);
    const ack = new Uint8Array(20);
    writeTcpHeader(ack, 0, { sequence: 0x1234_5679, acknowledgment: 8, flags: TcpFlag.ack, window: 21_845 });
    expect(server.handleAck(ack, 0, 20)).toBe(true);
    expect(server.peerWindow).toBe(43_690);
  });

  it('offers no scale to a peer that offered none, and assumes 536 without MSS', () => {
    const [, server] = pair();
    const syn = new Uint8Array(20);
    writeTcpHeader(syn, 0, { sequence: 1, acknowledgment: 0, flags: TcpFlag.syn, window: 1000 });
    expect(server.handleSyn(syn, 0, 20)).toBe(true);
    const bytes = new Uint8Array(60);
    expect(optionsOf(bytes, server.writeSynAck(bytes, 0)).windowScale).toBeUndefined();
    expect(server).toMatchObject({ peerMaximumSegment: 536, localWindowShift: 0, peerWindowShift: 0 });
  });

  it.each([
    [1448, 1448],
    [1280, 1279],
    [1284, 1279],
    [1288, 1288],
    [65_535, 64_900],
    [10, 48],
  ])('announces an MSS of %i as %i: the original reads it with its bytes swapped', (wanted, announced) => {
    const bytes = new Uint8Array(60);
    const handshake = new StreamHandshake({ initialSequence: 1, maximumSegment: wanted, receiveBuffer: 65_535 });
    expect(optionsOf(bytes, handshake.writeSyn(bytes, 0)).maximumSegmentSize).toBe(announced);
  });

  it('never makes segments smaller than 48 bytes for a peer that asks for less', () => {
    const [, server] = pair();
    const syn = CAPTURED_SYN.slice();
    syn[22] = 0;
    syn[23] = 1;
    expect(server.handleSyn(syn, 0, syn.length)).toBe(true);
    expect(server.peerMaximumSegment).toBe(48);
  });

  it('refuses what is not the segment it waits for', () => {
    const [client, server] = pair();
    const bytes = new Uint8Array(60);
    const syn = client.writeSyn(bytes, 0);
    expect(client.handleSynAck(bytes, 0, syn)).toBe(false);
    expect(server.handleAck(bytes, 0, syn)).toBe(false);
    expect(server.handleSyn(bytes, 0, syn)).toBe(true);
    const length = server.writeSynAck(bytes, 0);
    expect(server.handleSyn(bytes, 0, length)).toBe(false);
    bytes[11]! ^= 1;
    expect(client.handleSynAck(bytes, 0, length)).toBe(false);
    bytes[11]! ^= 1;
    expect(client.handleSynAck(bytes, 0, length)).toBe(true);
    const ack = client.writeAck(bytes, 0);
    bytes[7]! ^= 1;
    expect(server.handleAck(bytes, 0, ack)).toBe(false);
    bytes[7]! ^= 1;
    expect(server.handleAck(bytes, 0, ack)).toBe(true);
  });

  it('refuses segments cut at any length', () => {
    const [client, server] = pair();
    const bytes = new Uint8Array(60);
    const length = client.writeSyn(bytes, 0);
    for (let cut = 0; cut < length; cut++) expect(server.handleSyn(bytes.slice(0, cut), 0, cut)).toBe(false);
  });
});
