// Streams that the original stack had, again with our stack in the place of one of its hosts. Unless said
// otherwise our control packets are the captured ones byte for byte, but for our random numbers.

import { beforeAll, describe, expect, it } from 'vitest';
import { CONNECT_BROADCASTS, HALF_OPEN_TIMEOUT } from '../../lib/limits';
import { Replay, type ReplayOptions } from './replay';

const CLIENT = '10.77.0.1';
const SERVER = '10.77.0.2';
const SECOND_SERVER = '10.77.0.3';
const ROUTER = '10.77.0.254';

describe.each<[string, ReplayOptions]>([
  ['a-tcp, client: connect, 20 kB, close', { capture: 'a-tcp', as: CLIENT }],
  ['a-tcp, server', { capture: 'a-tcp', as: SERVER }],
  ['j-rexmit, client: an echo', { capture: 'j-rexmit', as: CLIENT, to: 13 }],
  ['k-two-instances, first server', { capture: 'k-two-instances', as: SERVER }],
  ['i-twohop, server behind two routers', { capture: 'i-twohop', as: SERVER, to: 22 }],
])('%s', (_name, options) => {
  let replay: Replay;
  beforeAll(() => {
    replay = new Replay(options).run();
  });

  it('signals as the captured host did', () => {
    expect(replay.signaling).toEqual(replay.capturedSignaling);
  });
  it('carries both streams', () => {
    expect(replay.sentStream().equals(replay.capturedStream('us'))).toBe(true);
    expect(replay.streams).toHaveLength(1);
    expect(replay.streams[0]!.received.equals(replay.capturedStream('peer'))).toBe(true);
  });
});

describe('how connections end', () => {
  it('a-tcp: in good order, with nothing left', () => {
    const client = new Replay({ capture: 'a-tcp', as: CLIENT }).run();
    expect(client.streams[0]!.told).toEqual(['connected', 'ended', 'finished', 'closed']);
    const server = new Replay({ capture: 'a-tcp', as: SERVER }).run();
    expect(server.streams[0]!.told).toEqual(['connected', 'finished', 'ended', 'closed']);
    for (const { host } of [client, server]) expect(host.stack.sal.flowTable.size).toBe(0);
  });

  it('j-rexmit, client: FIN is repeated with backoff to a peer that fell silent', () => {
    const replay = new Replay({ capture: 'j-rexmit', as: CLIENT }).run(150_000);
    const fins = replay.sent.filter(({ view }) => ((view.tcp?.flags ?? 0) & 1) !== 0).map(({ at }) => at);
    const pauses = fins.slice(1).map((at, index) => at - fins[index]!);
    // The first may be a tail loss probe (RFC 8985), and the last is cut at 60 s.
    expect(pauses.length).toBeGreaterThan(6);
    for (let index = 2; index < 6; index++) expect(pauses[index]! / pauses[index - 1]!).toBeCloseTo(2, 1);
    expect(replay.streams[0]!.told).toEqual(['connected', 'ETIMEDOUT', 'closed']);
  });

  it('j-rexmit, server: every repeated FIN is acknowledged', () => {
    const replay = new Replay({ capture: 'j-rexmit', as: SERVER }).run(0);
    const end = replay.sent.at(-1)!.view.tcp!.ack;
    expect(replay.sent.filter(({ view }) => view.tcp?.ack === end).length).toBeGreaterThanOrEqual(6);
    expect(replay.streams[0]!.told).toEqual(['connected', 'ended']);
  });

  it('f-rst, client: closing with unread data aborts', () => {
    // The original sends its TCP FIN before the RST, and gets packet 38 for it. We send the RST alone.
    const replay = new Replay({ capture: 'f-rst', as: CLIENT, to: 38, without: [38], reads: false }).run();
    expect(replay.signaling).toEqual(replay.capturedSignaling);
    expect(replay.kinds().at(-1)).toBe('reset');
    expect(replay.streams[0]!.told.at(-1)).toBe('closed');
    expect(replay.host.stack.sal.flowTable.size).toBe(0);
  });

  it('f-rst, server: the abort of the peer ends the connection', () => {
    const replay = new Replay({ capture: 'f-rst', as: SERVER, to: 38 }).run();
    expect(replay.signaling).toEqual(replay.capturedSignaling);
    expect(replay.sentStream().equals(replay.capturedStream('us'))).toBe(true);
    expect(replay.streams[0]!.told).toEqual(['connected', 'finished', 'ended', 'ECONNRESET', 'closed']);
    expect(replay.host.stack.sal.flowTable.size).toBe(0);
  });
});

describe('services that nobody offers', () => {
  it('f-rst, client: the same SYN again and again, then a timeout in bounded time', () => {
    const replay = new Replay({ capture: 'f-rst', as: CLIENT, from: 39 }).run();
    expect(replay.signaling).toEqual(replay.capturedSignaling);
    expect(replay.kinds().length).toBeGreaterThan(3);
    expect(replay.streams[0]!.told).toEqual(['ETIMEDOUT', 'closed']);
  });

  it('f-rst, host without the service: silence, as the captured hosts kept', () => {
    const replay = new Replay({ capture: 'f-rst', as: SERVER, from: 39 }).run();
    expect(replay.sent).toEqual([]);
  });

  it('f-refused, client: a RST that repeats our nonce refuses the connection, when nobody else accepts it', () => {
    const replay = new Replay({ capture: 'f-refused', as: CLIENT }).run();
    expect(replay.streams[0]!.told).toEqual(['ECONNREFUSED', 'closed']);
    // It was a broadcast: others had their time to answer it.
    expect(replay.kinds()).toEqual(new Array(CONNECT_BROADCASTS).fill('syn'));
    expect(replay.host.stack.sal.flowTable.size).toBe(0);
  });
});

describe('k-two-instances: a broadcast SYN that two servers answer', () => {
  it('client: stays with the first, and rejects the second', () => {
    const replay = new Replay({ capture: 'k-two-instances', as: CLIENT }).run();
    const toFirst = (packet: string): boolean => !packet.startsWith(SECOND_SERVER);
    // The original answers the second SYN-ACK with a pure ACK to the first server (packet 7). We tell the
    // second with a RST, which it drops: it has no flow yet, and the packet no SERVICE (wire format §7).
    const expected = replay.capturedSignaling.filter((_packet, index) => index !== 2);
    expect(replay.signaling.filter(toFirst)).toEqual(expected);
    const toSecond = replay.sent.filter(({ view }) => view.packet.destination === SECOND_SERVER);
    expect(toSecond.map(({ kind }) => kind)).toEqual(['rejection']);
    expect(replay.streams[0]!.received.equals(replay.capturedStream('peer'))).toBe(true);
    expect(replay.streams[0]!.told).toEqual(['connected', 'finished', 'ended', 'closed']);
  });

  it('second server: answers, hears nothing more and forgets', () => {
    const replay = new Replay({ capture: 'k-two-instances', as: SECOND_SERVER }).run(0);
    expect(replay.signaling).toEqual(replay.capturedSignaling);
    const again = new Replay({ capture: 'k-two-instances', as: SECOND_SERVER }).run(HALF_OPEN_TIMEOUT);
    expect(again.kinds()).toEqual(['synAck']);
    expect(again.streams).toEqual([]);
    expect(again.host.stack.sal.flowTable.size).toBe(0);
  });
});

describe('ends of connections whose SYN went through routers (§4.2, Figure 5)', () => {
  it('d-syn-forward-server, client: talks to the server that answered, not to the router', () => {
    const replay = new Replay({ capture: 'd-syn-forward-server', as: CLIENT, defaultRule: ROUTER, reads: false }).run();
    // The capture was taken at the server: its SYN has been forwarded.
    expect(replay.signaling.slice(1)).toEqual(replay.capturedSignaling.slice(1));
    expect(replay.signaling[0]!.startsWith(ROUTER)).toBe(true);
    expect(replay.kinds().at(-1)).toBe('reset');
  });

  it('d-syn-forward-server, server: answers the client itself, with SOURCE', () => {
    const replay = new Replay({ capture: 'd-syn-forward-server', as: SERVER }).run();
    expect(replay.signaling).toEqual(replay.capturedSignaling);
    expect(replay.sentStream().equals(replay.capturedStream('us'))).toBe(true);
    expect(replay.streams[0]!.told.at(-1)).toBe('closed');
  });

  it('i-twohop, client: a repeated SYN-ACK gets the third ACK again', () => {
    // Packets 2 and 3 are the client's SYN as a router forwarded it, twice, with the client's IP address.
    const options = { without: [2, 3], to: 22, defaultRule: ROUTER };
    const replay = new Replay({ capture: 'i-twohop', as: CLIENT, ...options }).run();
    // The original answers it with a pure ACK (packet 7). Ours serves a server that lost the first one.
    const expected = replay.capturedSignaling.filter((_packet, index) => index !== 2);
    expect(replay.signaling).toEqual(expected);
    expect(replay.kinds().filter((kind) => kind === 'thirdAck')).toHaveLength(2);
    expect(replay.streams[0]!.received.equals(replay.capturedStream('peer'))).toBe(true);
  });
});
