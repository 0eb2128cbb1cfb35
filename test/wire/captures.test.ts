// Golden vectors: every packet of every capture of the original stack is read, all its checksums are right,
// and what was read is written again to the same bytes. Cut at any length it is refused by name.

import { describe, expect, it } from 'vitest';
import { IP_PROTOCOL_SERVAL } from '../../lib/limits';
import { readUint16 } from '../../lib/wire/big-endian';
import { IPV4_HEADER_BYTES, type Ipv4Header, parseIpv4Header, writeIpv4Header } from '../../lib/wire/ipv4-header';
import { ReceivedBatch, ReceivedField, RowKind } from '../../lib/wire/received-batch';
import { parseSalPacket, type SalPacket, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { parseTcpHeader, TcpFlag, writeTcpHeader } from '../../lib/wire/tcp-header';
import { TcpOptions, writeSynOptions } from '../../lib/wire/tcp-options';
import { TrainJoiner } from '../../lib/wire/train-joiner';
import { hasValidTransportChecksum, sealTransportChecksum } from '../../lib/wire/transport-checksum';
import { parseUdpHeader, UdpField, writeUdpHeader } from '../../lib/wire/udp-header';
import { createWireErrorCounters, isWireError, WIRE_ERRORS, type WireError } from '../../lib/wire/wire-error';
import { bytesHex } from './bytes';
import { type CaptureName, captureNames, captures, parseWhole, readCapture, salBytesOf } from './pcap';

describe.each(captureNames)('capture %s', (name) => {
  const packets = readCapture(name);

  it('is read whole', () => {
    expect(packets.length).toBe(captures[name]);
  });

  it('decodes and encodes to the same bytes', () => {
    for (const packet of packets) expect(bytesHex(encodeAgain(packet))).toBe(bytesHex(packet));
  });

  it('has right transport checksums', () => {
    for (const packet of packets) {
      const { ip, sal } = decode(packet);
      const at = IPV4_HEADER_BYTES + sal.transportOffset;
      const { transportLength, protocol } = sal;
      expect(hasValidTransportChecksum(packet, at, transportLength, protocol, ip.source, ip.destination)).toBe(true);
    }
  });

  it('has no detail: the original sends 0 where we say how often a connect failed', () => {
    const details = packets.flatMap((packet) => decode(packet).sal.control?.detail ?? []);
    expect(details.every((detail) => detail === 0)).toBe(true);
    expect(details.length).toBeGreaterThan(0);
  });

  it('is refused by name when cut at any length', () => {
    for (const packet of packets) {
      const bytes = salBytesOf(packet);
      expect(lengthsThatFail(packet, refusesCutIp)).toEqual([]);
      expect(lengthsThatFail(bytes, refusesCutSal)).toEqual([]);
      expect(lengthsThatFail(bytes, refusesCutTransport)).toEqual([]);
    }
  });
});

describe('the annotated packets of the original', () => {
  it('SYN, a-tcp #1', () => {
    const { sal } = decode(packetOf('a-tcp', 1));
    expect(sal).toMatchObject({ sourceFlowID: 2, destinationFlowID: 0, headerLength: 68, protocol: 6 });
    expect(sal.control).toMatchObject({ flags: 0x80, controlSequence: 0xbde10e33, controlAck: 0 });
    expect(sal.control?.nonce.toString()).toBe('a1906e4267d08684');
    expect(sal.destinationService?.toString()).toBe('00004001'.padEnd(64, '0'));
    expect(sal.sourceService).toBeUndefined();
  });

  it('SYN-ACK to a forwarded SYN, d-syn-forward-server #2', () => {
    const { sal } = decode(packetOf('d-syn-forward-server', 2));
    expect(sal.control?.flags).toBe(0xa0);
    expect(sal.sourceKind).toBe('source');
    expect(sal.source?.map(String)).toEqual(['10.77.0.1', '10.77.0.254', '10.77.0.2']);
  });

  it('RSYN, e-migrate #26', () => {
    const { ip, sal } = decode(packetOf('e-migrate', 26));
    expect(ip.source.toString()).toBe('10.77.1.1');
    expect(sal.control).toMatchObject({ flags: 0x40, controlSequence: 0xee0786b6, controlAck: 0xd51d14d9 });
    expect(sal.transportLength).toBe(0);
  });

  it('unconnected datagram, c-udp-unconnected #1', () => {
    const { sal } = decode(packetOf('c-udp-unconnected', 1));
    expect(sal.protocol).toBe(17);
    expect(sal.destinationService?.toString()).toBe('00001b58'.padEnd(64, '0'));
    expect(sal.sourceService?.toString()).toBe('00001770'.padEnd(64, '0'));
  });
});

describe('the stream of a-tcp', () => {
  it('is joined from its packets, in trains', () => {
    const client = decode(packetOf('a-tcp', 1)).ip.source;
    const batch = new ReceivedBatch(64, Buffer.alloc(65_536));
    const joiner = new TrainJoiner(createWireErrorCounters(), { transportChecksums: true });
    let offset = 0;
    let expected = '';
    for (const packet of readCapture('a-tcp')) {
      const { ip, sal } = decode(packet);
      if (!ip.destination.equals(client)) continue;
      const bytes = salBytesOf(packet);
      batch.slab.set(bytes, offset);
      expect(joiner.append(batch, ip.source, ip.destination, 0, offset, bytes.length)).toBeUndefined();
      offset += bytes.length;
      if (sal.headerLength === 12) expected += bytesHex(bytes.subarray(32));
    }
    const trains = Array.from({ length: batch.count }, (_, row) => row).filter(
      (row) => batch.kind(row) === RowKind.train,
    );
    const payload = trains.map((row) => payloadOf(batch, row)).join('');
    expect(payload).toBe(expected);
    expect(payload.length).toBeGreaterThan(0);
    const segments = trains.map((row) => batch.field(row, ReceivedField.segments));
    expect(Math.max(...segments)).toBeGreaterThan(1);
  });
});

function packetOf(name: CaptureName, number: number): Uint8Array {
  return readCapture(name)[number - 1]!;
}

function decode(packet: Uint8Array): { ip: Ipv4Header; sal: SalPacket } {
  const ip = parseIpv4Header(packet, 0, packet.length);
  if (isWireError(ip)) throw new Error(ip);
  expect(ip.protocol).toBe(IP_PROTOCOL_SERVAL);
  return { ip, sal: parseWhole(salBytesOf(packet)) };
}

/** Writes the packet anew from the decoded values, headers and payload; nothing of a header is copied. */
function encodeAgain(packet: Uint8Array): Uint8Array {
  const { ip, sal } = decode(packet);
  const copy = new Uint8Array(packet.length);
  let at = writeIpv4Header(copy, 0, ip);
  at += writeSalPacketHeader(copy, at, sal);
  const transport = packet.subarray(at);
  if (transport.length === 0) return copy;
  const hadChecksum = sal.protocol === 6 || readUint16(transport, UdpField.checksum) !== 0;
  encodeTransport(copy, at, transport, sal.protocol);
  if (hadChecksum) sealTransportChecksum(copy, at, transport.length, sal.protocol, ip.source, ip.destination);
  return copy;
}

function encodeTransport(copy: Uint8Array, at: number, transport: Uint8Array, protocol: number): void {
  if (protocol === 17) {
    const udp = parseUdpHeader(transport, 0, transport.length);
    if (isWireError(udp)) throw new Error(udp);
    writeUdpHeader(copy, at, udp.payloadLength);
    copy.set(transport.subarray(udp.payloadOffset), at + udp.payloadOffset);
    return;
  }
  const tcp = parseTcpHeader(transport, 0, transport.length);
  if (isWireError(tcp)) throw new Error(tcp);
  const end = at + writeTcpHeader(copy, at, tcp);
  if ((tcp.flags & TcpFlag.syn) !== 0) {
    const options = new TcpOptions();
    expect(options.parse(transport, tcp.optionsOffset, tcp.optionsLength)).toBeUndefined();
    writeSynOptions(copy, end, {
      maximumSegmentSize: options.maximumSegmentSize!,
      windowScale: options.windowScale,
      sackPermitted: options.sackPermitted,
    });
  } else {
    expect(tcp.optionsLength).toBe(0);
  }
  copy.set(transport.subarray(tcp.payloadOffset), at + tcp.payloadOffset);
}

/** What a parser does with the first `length` bytes of `whole`, alone in a buffer. */
type CutCheck = (cut: Uint8Array, length: number, whole: Uint8Array) => boolean;

/** Thousands of lengths: `expect` at each would take longer than the parsers. */
function lengthsThatFail(whole: Uint8Array, check: CutCheck): number[] {
  const lengths = Array.from({ length: whole.length }, (_, length) => length);
  return lengths.filter((length) => !check(whole.slice(0, length), length, whole));
}

function refusesCutIp(cut: Uint8Array, length: number, whole: Uint8Array): boolean {
  return isReason(parseIpv4Header(cut, 0, length)) && isReason(parseIpv4Header(whole, 0, length));
}

/** Cut behind its SAL header, the packet is valid: it is the transport's turn then. */
function refusesCutSal(cut: Uint8Array, length: number, whole: Uint8Array): boolean {
  const expected = parseWhole(whole);
  for (const parsed of [parseSalPacket(cut, 0, length), parseSalPacket(whole, 0, length)]) {
    if (length < expected.headerLength) {
      if (parsed !== 'truncated') return false;
    } else if (isWireError(parsed) || parsed.transportLength !== length - expected.headerLength) {
      return false;
    }
  }
  return true;
}

/** TCP has no length of its own: cut behind its header it is a shorter segment. */
function refusesCutTransport(cut: Uint8Array, length: number, whole: Uint8Array): boolean {
  const { transportOffset, protocol } = parseWhole(whole);
  if (length < transportOffset) return true;
  const transport = cut.subarray(transportOffset);
  if (protocol === 17) return isReason(parseUdpHeader(transport, 0, transport.length));
  const parsed = parseTcpHeader(transport, 0, transport.length);
  const headerLength = (whole[transportOffset + 12]! >>> 4) * 4;
  if (transport.length < headerLength) return isReason(parsed);
  return !isWireError(parsed) && parsed.payloadLength === transport.length - headerLength;
}

function isReason(parsed: unknown): boolean {
  return WIRE_ERRORS.includes(parsed as WireError);
}

function payloadOf(batch: ReceivedBatch, row: number): string {
  const offset = batch.field(row, ReceivedField.offset);
  return bytesHex(batch.slab.subarray(offset, offset + batch.field(row, ReceivedField.length)));
}
