// Which SYNs a listening socket takes whose application wants no more connections than so many (§4.4), and what
// becomes of handshakes whose client has left.

import { describe, expect, it } from 'vitest';
import { HALF_OPEN_GRACE } from '../../lib/limits';
import { ControlFlag, REFUSED_FULL } from '../../lib/wire/control-extension';
import { decode, type Packet, SERVICE, Wire } from './wire';

const flagsOf = (packet: Packet): number => decode(packet).control?.flags ?? 0;
const RST = ControlFlag.rst | ControlFlag.ack;
const SYN_ACK = ControlFlag.syn | ControlFlag.ack;

function topology(properties = {}) {
  const wire = new Wire();
  const client = wire.node('10.0.0.1', 1, properties);
  const server = wire.node('10.0.0.2', 2, properties);
  client.forwardTo(server.address);
  const listener = server.listen();
  /** Sends the server a SYN of its own, and gives what it answers. */
  const ask = () => {
    client.connect();
    for (const syn of client.takeSent()) wire.deliver(syn);
    return server.takeSent().map(flagsOf);
  };
  return { wire, client, server, listener, ask };
}

describe('a SYN for a listening socket that is full', () => {
  it('is refused, handshakes under way included', () => {
    const { server, listener, ask } = topology();
    listener.places = 2;
    expect([ask(), ask(), ask()]).toEqual([[SYN_ACK], [SYN_ACK], [RST]]);
    expect(listener.halfOpen.size).toBe(2);
    expect(server.sal.counters.value('synRefusedFull')).toBe(1);
  });

  it('is refused where there is no place at all, whatever is half open', () => {
    const { wire, listener, ask } = topology();
    expect(ask()).toEqual([SYN_ACK]);
    listener.places = 0;
    expect(ask()).toEqual([RST]);
    wire.now = (wire.now + HALF_OPEN_GRACE) as typeof wire.now;
    expect(ask()).toEqual([RST]);
    expect(listener.halfOpen.size).toBe(0);
  });

  it('takes the place of the oldest that has not been completed: a flood of forged ones keeps nobody out for long', () => {
    const { wire, server, listener, ask } = topology();
    listener.places = 1;
    ask();
    wire.now = (wire.now + HALF_OPEN_GRACE - 1) as typeof wire.now;
    expect(ask()).toEqual([RST]);
    wire.now = (wire.now + 1) as typeof wire.now;
    expect(ask()).toEqual([SYN_ACK]);
    expect(listener.halfOpen.size).toBe(1);
    expect(server.sal.counters.value('halfOpenOverflow')).toBe(1);
  });

  it('takes no place from a client that has just repeated its SYN', () => {
    const { wire, client, server, listener, ask } = topology();
    listener.places = 1;
    client.connect();
    const [syn] = client.takeSent();
    wire.deliver(syn!);
    wire.now = (wire.now + HALF_OPEN_GRACE - 1) as typeof wire.now;
    wire.deliver(syn!);
    server.takeSent();
    wire.now = (wire.now + HALF_OPEN_GRACE - 1) as typeof wire.now;
    expect(ask()).toEqual([RST]);
    wire.now = (wire.now + 1) as typeof wire.now;
    expect(ask()).toEqual([SYN_ACK]);
  });

  it('is answered again when it is a repeated one', () => {
    const { wire, client, server, listener } = topology();
    listener.places = 1;
    client.connect();
    const [syn] = client.takeSent();
    wire.deliver(syn!);
    wire.deliver(syn!);
    expect(server.takeSent().map(flagsOf)).toEqual([SYN_ACK, SYN_ACK]);
  });

  it('gets no answer when other processes of the host have heard it, too', () => {
    const shared = topology({ kind: 'raw', encapsulated: false });
    shared.listener.places = 0;
    expect(shared.ask()).toEqual([]);
    expect(shared.server.sal.counters.value('synRefusedFull')).toBe(1);
  });

  it('is refused when it is a broadcast: its client looks for others, and knows that one is there', () => {
    const { wire, client, server, listener } = topology();
    listener.places = 0;
    client.connect();
    for (const syn of client.takeSent()) wire.deliverBroadcast(syn);
    const [reset] = server.takeSent();
    expect(decode(reset!).control).toMatchObject({ flags: RST, detail: REFUSED_FULL });
  });

  it('is refused so when the socket is withdrawn, and not when nobody has the service', () => {
    const { wire, client, server, listener } = topology();
    const ask = (): Packet[] => {
      client.connect();
      for (const syn of client.takeSent()) wire.deliverBroadcast(syn);
      return server.takeSent();
    };
    server.sal.serviceTable.deleteRule({ action: 'demux', prefix: listener.prefix, protocol: 6, socket: listener });
    expect(ask()).toEqual([]);
    server.withdrawn.add(SERVICE.toString());
    const [reset, ...more] = ask();
    expect(decode(reset!).control).toMatchObject({ flags: RST, detail: REFUSED_FULL });
    expect(more).toEqual([]);
  });
});

describe('a SYN-ACK whose client has left', () => {
  const abandoned = (properties = {}) => {
    const { wire, client, server, listener } = topology(properties);
    const { flow } = client.connect();
    for (const syn of client.takeSent()) wire.deliver(syn);
    client.sal.close(flow, undefined, wire.now);
    return { wire, client, server, listener };
  };

  it('is answered with a reset, and the half-open flow is gone', () => {
    const { wire, server, listener } = abandoned();
    const packets = wire.settle();
    expect(packets.map(flagsOf)).toEqual([SYN_ACK, RST]);
    expect(packets[1]!.bytes.length).toBeLessThanOrEqual(packets[0]!.bytes.length);
    expect([listener.halfOpen.size, server.sal.flowTable.size]).toEqual([0, 0]);
  });

  it('is not answered on a link that other processes hear: it may be for one of them', () => {
    const { wire, listener } = abandoned({ kind: 'raw', encapsulated: false });
    expect(wire.settle().map(flagsOf)).toEqual([SYN_ACK]);
    expect(listener.halfOpen.size).toBe(1);
  });
});
