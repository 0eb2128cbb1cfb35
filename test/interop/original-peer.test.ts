// The judge is judged: it accepts all that the original itself sent in the captures, and names the rule that a
// changed packet breaks.

import { describe, expect, it } from 'vitest';
import { type CaptureName, readCapture } from '../wire/pcap';
import { OriginalPeer } from './original-peer';
import { ipPacketOf, type Patch, patched, sealed } from './packet-patch';
import { type IpPacket, viewOf } from './packet-view';

const CLIENT = '10.77.0.1';
const SERVER = '10.77.0.2';

describe('what the original sent is accepted', () => {
  it.each<[CaptureName, string, number]>([
    ['a-tcp', CLIENT, 39],
    ['a-tcp', SERVER, 39],
    ['b-udp-connected', CLIENT, 11],
    ['b-udp-connected', SERVER, 11],
    ['c-udp-unconnected', CLIENT, 7],
    ['c-udp-unconnected', SERVER, 7],
    // Behind it the client moves to another address.
    ['e-migrate', CLIENT, 25],
    ['e-migrate', SERVER, 25],
    ['f-rst', CLIENT, 41],
    ['f-rst', SERVER, 41],
    ['i-twohop', CLIENT, 22],
    ['i-twohop', SERVER, 22],
    ['j-rexmit', CLIENT, 19],
    ['j-rexmit', SERVER, 19],
    ['k-two-instances', CLIENT, 20],
    ['k-two-instances', SERVER, 20],
  ])('%s, %s', (name, host, last) => {
    const judge = new OriginalPeer(host);
    let judged = 0;
    for (const packet of packetsOf(name).slice(0, last)) {
      if (packet.source !== host || isForwarded(packet)) judge.hears(packet);
      else {
        judge.judge(packet);
        judged++;
      }
    }
    expect(judged).toBeGreaterThan(0);
  });
});

describe('a changed packet is refused by the rule it breaks', () => {
  it.each<[string, CaptureName, string, number, Patch, RegExp]>([
    ['SYN with a destination flowID', 'a-tcp', CLIENT, 1, { destinationFlowID: 9 }, /no destination flowID/],
    ['SYN with an ackno', 'a-tcp', CLIENT, 1, { controlAck: 9 }, /ackno of a SYN is 0/],
    ['SYN from a foreign address', 'a-tcp', CLIENT, 1, { source: '10.77.0.9' }, /from our own address/],
    ['SYN-ACK with another ackno', 'a-tcp', SERVER, 2, { controlAck: 9 }, /one behind the SYN's verno/],
    ['SYN-ACK to somebody else', 'a-tcp', SERVER, 2, { destination: '10.77.0.9' }, /to the client itself/],
    ['SYN-ACK with another TCP ack', 'a-tcp', SERVER, 2, { tcpAck: 9 }, /TCP SYN is acknowledged/],
    ['third ACK with another verno', 'a-tcp', CLIENT, 3, { controlSequence: 9 }, /exactly iss\+1/],
    ['third ACK with another ackno', 'a-tcp', CLIENT, 3, { controlAck: 9 }, /exactly the server's iss\+1/],
    ['third ACK with another nonce', 'a-tcp', CLIENT, 3, { nonce: '0011223344556677' }, /our nonce/],
    ['third ACK for another flow', 'a-tcp', CLIENT, 3, { destinationFlowID: 9 }, /is the peer's/],
    ['data with a gap', 'a-tcp', SERVER, 5, { tcpSequence: 0x0e256f00 }, /no gaps|window/],
    ['ACK of what was not sent', 'a-tcp', CLIENT, 7, { tcpAck: 0xe2600000 }, /only what was sent/],
    ['FIN with another verno', 'a-tcp', SERVER, 34, { controlSequence: 9 }, /number behind that of the SYN/],
    ['FIN without a valid ackno', 'a-tcp', SERVER, 34, { controlAck: 0 }, /valid in a FIN too/],
    ['ACK of FIN with another ackno', 'a-tcp', CLIENT, 35, { controlAck: 9 }, /next number of the peer/],
    ['ACK of FIN that uses up a number', 'a-tcp', CLIENT, 35, { controlSequence: 0xbde10e35 }, /uses up no number/],
    ['RST with another nonce', 'f-rst', CLIENT, 37, { nonce: '0011223344556677' }, /our nonce/],
    ['SYN-ACK from another address', 'i-twohop', SERVER, 4, { source: '10.77.0.9' }, /unicast address of ours/],
  ])('%s', (_name, name, host, number, patch, rule) => {
    expect(() => judgeChanged(name, host, number, (packet) => patched(packet, patch))).toThrow(rule);
  });

  it.each<[string, CaptureName, string, number, (bytes: Buffer) => Buffer, RegExp]>([
    ['MSS 1280', 'a-tcp', CLIENT, 1, at(68 + 22, 0x05, 0x00), /small low byte/],
    ['timestamps', 'a-tcp', CLIENT, 1, at(68 + 24, 8, 4, 0, 0), /nothing else/],
    ['a TCP port', 'a-tcp', CLIENT, 1, at(68, 1), /TCP ports/],
    ['reserved bits', 'a-tcp', CLIENT, 1, at(12 + 2, 0x81), /reserved bits/],
    ['an extension of type 5', 'a-tcp', CLIENT, 1, at(12, 0x50), /extension of type 5/],
    ['third ACK without SERVICE', 'a-tcp', CLIENT, 3, withoutService, /CONTROL alone|CONTROL and SERVICE/],
    ['third ACK for another service', 'a-tcp', CLIENT, 3, at(36, 9), /service of the SYN/],
    ['RST with SERVICE', 'f-rst', CLIENT, 3, at(12 + 2, 0x28), /never SERVICE/],
    ['connected UDP: a SYN without checksum', 'b-udp-connected', CLIENT, 1, at(68 + 6, 0, 0), /real UDP checksum/],
    ['connected UDP: an empty datagram', 'b-udp-connected', CLIENT, 4, emptied, /drops empty datagrams/],
    ['connected UDP: data in the handshake', 'b-udp-connected', CLIENT, 3, withData, /empty UDP header/],
    ['unconnected with one SERVICE', 'c-udp-unconnected', CLIENT, 1, withOneService, /destination and source/],
  ])('%s', (_name, name, host, number, change, rule) => {
    const changed = (packet: IpPacket) => sealed({ ...packet, bytes: change(Buffer.from(packet.bytes)) });
    expect(() => judgeChanged(name, host, number, changed)).toThrow(rule);
  });

  it.each<[string, number, RegExp]>([
    ['SAL check', 10, /SAL check/],
    ['TCP checksum', 68 + 16, /TCP checksum/],
  ])('a wrong %s', (_name, offset, rule) => {
    const damage = (packet: IpPacket) => ({ ...packet, bytes: at(offset, 0x5a)(Buffer.from(packet.bytes)) });
    expect(() => judgeChanged('a-tcp', CLIENT, 1, damage)).toThrow(rule);
  });

  it("the SAL's FIN before the stream's own was acknowledged", () => {
    const judge = new OriginalPeer(SERVER);
    const packets = packetsOf('a-tcp');
    // Packet 33 acknowledges the FIN in 27.
    for (const packet of packets.slice(0, 32)) {
      if (packet.source === SERVER) judge.judge(packet);
      else judge.hears(packet);
    }
    expect(() => judge.judge(packets[33]!)).toThrow(/when the stream's FIN was acknowledged/);
    judge.hears(packets[32]!);
    expect(judge.judge(packets[33]!)).toBe('fin');
  });
});

/** Judges packet `number` after a change, in the conversation up to it. */
function judgeChanged(name: CaptureName, host: string, number: number, change: (packet: IpPacket) => IpPacket): void {
  const judge = new OriginalPeer(host);
  const packets = packetsOf(name);
  for (const packet of packets.slice(0, number - 1)) {
    if (packet.source === host) judge.judge(packet);
    else judge.hears(packet);
  }
  judge.judge(change(packets[number - 1]!));
}

function at(offset: number, ...values: number[]): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes.set(values, offset);
    return bytes;
  };
}

/** SAL header and CONTROL, without the 36 bytes of SERVICE behind them. */
function withoutService(bytes: Buffer): Buffer {
  bytes[8]! -= 9;
  return Buffer.concat([bytes.subarray(0, 32), bytes.subarray(68)]);
}

function withOneService(bytes: Buffer): Buffer {
  bytes[8]! -= 9;
  return Buffer.concat([bytes.subarray(0, 48), bytes.subarray(84)]);
}

function emptied(bytes: Buffer): Buffer {
  bytes.writeUInt16BE(8, 16);
  return bytes.subarray(0, 20);
}

function withData(bytes: Buffer): Buffer {
  bytes.writeUInt16BE(9, 68 + 4);
  return Buffer.concat([bytes, Buffer.from('x')]);
}

function packetsOf(name: CaptureName): IpPacket[] {
  return readCapture(name).map(ipPacketOf);
}

/** A router forwards the SYN in the client's name (§11): that is not the client. */
function isForwarded(packet: IpPacket): boolean {
  return packet.source === CLIENT && viewOf(packet).sourceList !== undefined;
}
