// The test vectors of docs/protocol.md: what the document says is what the codecs do.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serviceID } from '../../lib/socket/service-name';
import { parseIpv4Header, writeIpv4Header } from '../../lib/wire/ipv4-header';
import { parseSalPacket, type SalPacket, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { parseTcpHeader, writeTcpHeader } from '../../lib/wire/tcp-header';
import { TcpOptions, writeSackOption, writeSynOptions } from '../../lib/wire/tcp-options';
import { hasValidTransportChecksum } from '../../lib/wire/transport-checksum';
import { parseUdpHeader, writeUdpHeader } from '../../lib/wire/udp-header';
import { isWireError, WIRE_ERRORS } from '../../lib/wire/wire-error';
import { bytesHex, hexBytes } from './bytes';
import { parseWhole } from './pcap';

const document = readFileSync(join(__dirname, '..', '..', 'docs', 'protocol.md'), 'utf8');

const packets = new Map<string, Uint8Array>();
for (const [, name, hex] of document.matchAll(/^\*\*([^*]+)\.\*\*[^`]*(?:`[^`\n]+`[^`]*)*```packet\n([^`]+)```/gm)) {
  packets.set(name!, hexBytes(hex!));
}

describe('the vectors of docs/protocol.md', () => {
  it('are all found', () => {
    expect([...packets.keys()]).toEqual([
      'SYN',
      'SYN forwarded by a router on UDP',
      'SYN forwarded from another process of the same host, IPv6',
      'SYN-ACK',
      'Third ACK',
      'Data',
      'Acknowledgment with one SACK block',
      'FIN',
      'ACK of a FIN',
      'RSYN to a service router',
      'RSYN from a service router',
      'RST of an established flow',
      'RST that refuses the SYN',
      'Connected datagram',
      'SYN of a connected datagram socket',
      'Unconnected datagram',
    ]);
  });

  it.each([...packets.keys()])('are read and written to the same bytes: %s', (name) => {
    const bytes = packets.get(name)!;
    expect(bytesHex(encodeAgain(bytes))).toBe(bytesHex(bytes));
  });

  it('mean what is said of them', () => {
    expect(read('SYN').control).toMatchObject({ flags: 0x80, controlSequence: 0x100, controlAck: 0 });
    expect(read('SYN').destinationService?.equals(serviceID('acme/web'))).toBe(true);
    expect(sourceOf('SYN forwarded by a router on UDP')).toEqual(['192.0.2.1:40001', '198.51.100.7:54325']);
    const own = sourceOf('SYN forwarded from another process of the same host, IPv6');
    expect(own).toEqual(['[::]:40001', '[2001:db8::7]:54325']);
    expect(read('SYN-ACK').control).toMatchObject({ flags: 0xa0, controlSequence: 0xffffffff, controlAck: 0x101 });
    expect(read('Third ACK').control).toMatchObject({ flags: 0x20, controlSequence: 0x101, controlAck: 0 });
    expect(read('FIN').control).toMatchObject({ flags: 0x04, controlSequence: 0x101 });
    expect(read('ACK of a FIN').control).toMatchObject({ flags: 0x20, controlSequence: 0, controlAck: 0x102 });
    const asking = read('RSYN to a service router');
    expect([asking.control?.flags, asking.sourceFlags, String(asking.peerNonce)]).toEqual([
      0x40,
      0x40,
      String(read('SYN-ACK').control?.nonce),
    ]);
    const told = read('RSYN from a service router');
    expect([told.control, told.sourceFlags, told.peerNonce]).toEqual([asking.control, 0x20, undefined]);
    expect(sourceOf('RSYN from a service router')).toEqual(['203.0.113.5:40001']);
    expect(read('RST of an established flow').control?.flags).toBe(0x28);
    const refusal = read('RST that refuses the SYN');
    expect(refusal.sourceFlowID).toBe(0);
    expect(refusal.control?.nonce).toEqual(read('SYN').control?.nonce);
    expect(read('Unconnected datagram').sourceService?.equals(serviceID('acme/client'))).toBe(true);
  });

  it('have a raw packet with right checksums', () => {
    const bytes = hexBytes(/```raw\n([^`]+)```/.exec(document)![1]!);
    const ip = parseIpv4Header(bytes, 0, bytes.length);
    if (isWireError(ip)) throw new Error(ip);
    expect(ip.payloadOffset + ip.payloadLength).toBe(bytes.length);
    const sal = parseSalPacket(bytes, ip.payloadOffset, ip.payloadLength);
    if (isWireError(sal)) throw new Error(sal);
    const { transportOffset, transportLength } = sal;
    expect(hasValidTransportChecksum(bytes, transportOffset, transportLength, 6, ip.source, ip.destination)).toBe(true);
    const header = new Uint8Array(20);
    writeIpv4Header(header, 0, ip);
    expect(bytesHex(header)).toBe(bytesHex(bytes.subarray(0, 20)));
  });

  const refused = [...document.matchAll(/```refused (\w+)\n([^`]+)```/g)];
  it.each(refused.map(([, reason, hex]) => [reason!, hex!] as const))(
    'are refused for the reason given: %s',
    (reason, hex) => {
      const bytes = hexBytes(hex);
      expect(parseSalPacket(bytes, 0, bytes.length)).toBe(reason);
    },
  );

  it('have a refusal for every reason at the door', () => {
    const door = WIRE_ERRORS.slice(0, WIRE_ERRORS.indexOf('tcpTruncated'));
    expect([...new Set(refused.map(([, reason]) => reason))].sort()).toEqual([...door].sort());
  });

  it('list every reason there is', () => {
    for (const reason of WIRE_ERRORS) expect(document).toContain(`\`${reason}\``);
  });
});

function read(name: string): SalPacket {
  return parseWhole(packets.get(name)!);
}

function sourceOf(name: string): string[] | undefined {
  return read(name).source?.map(String);
}

function encodeAgain(bytes: Uint8Array): Uint8Array {
  const packet = parseWhole(bytes);
  const copy = new Uint8Array(bytes.length);
  const at = writeSalPacketHeader(copy, 0, packet);
  if (packet.transportLength === 0) return copy;
  const payload = packet.protocol === 6 ? writeTcp(copy, at, bytes) : writeUdp(copy, at, bytes);
  copy.set(bytes.subarray(payload), payload);
  return copy;
}

function writeTcp(copy: Uint8Array, at: number, bytes: Uint8Array): number {
  const tcp = parseTcpHeader(bytes, at, bytes.length - at);
  if (isWireError(tcp)) throw new Error(tcp);
  const options = new TcpOptions();
  expect(options.parse(bytes, tcp.optionsOffset, tcp.optionsLength)).toBeUndefined();
  const end = at + writeTcpHeader(copy, at, tcp);
  const { maximumSegmentSize, windowScale, sackPermitted, sackEdges, sackCount } = options;
  if (maximumSegmentSize === undefined) writeSackOption(copy, end, sackEdges, sackCount);
  else writeSynOptions(copy, end, { maximumSegmentSize, windowScale, sackPermitted });
  return tcp.payloadOffset;
}

function writeUdp(copy: Uint8Array, at: number, bytes: Uint8Array): number {
  const udp = parseUdpHeader(bytes, at, bytes.length - at);
  if (isWireError(udp)) throw new Error(udp);
  writeUdpHeader(copy, at, udp.payloadLength);
  return udp.payloadOffset;
}
