import { describe, expect, it } from 'vitest';
import { ControlFlag, controlSequence } from '../../lib/wire/control-extension';
import { FLOW_ID_UNKNOWN, FlowNonce, flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { sealSalHeader } from '../../lib/wire/sal-header';
import {
  parseSalPacket,
  type SalPacketHeader,
  salPacketHeaderBytes,
  writeSalPacketHeader,
} from '../../lib/wire/sal-packet';
import { ServiceID } from '../../lib/wire/service-id';
import { bytesHex, hexBytes, written } from './bytes';
import { parseWhole } from './pcap';

const CONTROL = '10148000 bde10e33 00000000 a1906e4267d08684';
const SERVICE = `20240000 00004001${'00'.repeat(28)}`;
const OTHER_SERVICE = `20240000 ${'ab'.repeat(32)}`;
const ADDRESS = '30100000 00000001 00000002 c0000201';
const ENDPOINT_ADDRESS = '60140000 00000001 00000002 0400d435 c0000201';
const SOURCE = '400c0000 0a4d0001 0a4d00fe';
const ENDPOINT_SOURCE = '500c0000 0400d435 00000000';
const RENDEZVOUS = '700c0000 dc24df01428cdc94';

describe('extensions of a packet', () => {
  it('are taken in any order', () => {
    const packet = parseWhole(packetWith(SOURCE, OTHER_SERVICE, CONTROL, ADDRESS, SERVICE));
    expect(packet.control?.flags).toBe(ControlFlag.syn);
    expect(packet.destinationService?.toString()).toBe('ab'.repeat(32));
    expect(packet.sourceService?.toString()).toBe('00004001'.padEnd(64, '0'));
    expect(packet.addresses?.addresses).toHaveLength(1);
    expect(packet.source).toHaveLength(2);
    expect(packet.sourceKind).toBe('source');
  });

  it('include ours', () => {
    const packet = parseWhole(packetWith(CONTROL, ENDPOINT_SOURCE));
    expect(packet.source?.map(String)).toEqual(['0.0.0.0:54325']);
    expect(packet.sourceKind).toBe('endpointSource');
  });

  it('may be padded, with any reserved bits', () => {
    expect(parseWhole(packetWith('00', CONTROL, '0f', '00', '00')).control).toBeDefined();
    expect(parseWhole(packetWith('00000000')).control).toBeUndefined();
  });

  it('are ten at most, padding counted singly', () => {
    expect(parseWhole(packetWith(CONTROL, '00'.repeat(8))).control).toBeDefined();
    expect(parse(packetWith(CONTROL, '00'.repeat(12)))).toBe('tooManyExtensions');
    expect(parse(packetWith('00'.repeat(8), SERVICE, OTHER_SERVICE, CONTROL))).toBe('tooManyExtensions');
  });

  it.each([
    ['CONTROL', CONTROL, CONTROL],
    ['SERVICE', SERVICE + OTHER_SERVICE, SERVICE],
    ['ADDRESS', ADDRESS, ADDRESS],
    ['address list of the other kind', ADDRESS, ENDPOINT_ADDRESS],
    ['SOURCE', SOURCE, SOURCE],
    ['source list of the other kind', SOURCE, ENDPOINT_SOURCE],
    ['RENDEZVOUS', RENDEZVOUS, RENDEZVOUS],
  ])('are not repeated: %s', (_, first, second) => {
    expect(typeof parse(packetWith(first))).toBe('object');
    expect(parse(packetWith(first, second))).toBe('duplicateExtension');
  });

  it.each([8, 9, 10, 11, 12, 13, 14, 15])('are known: not type %i', (type) => {
    expect(parse(packetWith(`${type.toString(16)}0040000`))).toBe('unknownExtension');
  });

  it.each([
    ['length 0', '20000000'],
    ['length 1', '20010000'],
    ['beyond the header', '20240000'],
    ['beyond the header by one byte', `00${SERVICE.slice(0, -2)}`],
    ['no length byte', '00000020'],
    ['CONTROL of 24', '10188000 bde10e33 00000000 a1906e4267d08684 00000000'],
    ['SERVICE of 20', '20140000 00000000 00000000 00000000 00000000'],
    ['SOURCE that ends in an address', '400b0000 0a4d0001 0a4d00 00'],
  ])('have their right length: %s', (_, extension) => {
    expect(parse(packetWith(extension))).toBe('extensionLength');
  });

  it('have enough addresses in SOURCE', () => {
    expect(parse(packetWith('40080000 0a4d0001'))).toBe('sourceAddresses');
  });
});

describe('the rest of a packet', () => {
  it('is the transport part, wherever the packet lies', () => {
    const packet = hexBytes(`${bytesHex(packetWith(CONTROL))} 0102030405`);
    const buffer = new Uint8Array(100);
    buffer.set(packet, 11);
    expect(parseSalPacket(buffer, 11, packet.length)).toMatchObject({
      headerLength: 32,
      transportOffset: 43,
      transportLength: 5,
    });
  });

  it('must be in the buffer', () => {
    const packet = packetWith(CONTROL);
    expect(parseSalPacket(packet, 0, 33)).toBe('truncated');
    expect(parseSalPacket(packet, 1, 32)).toBe('truncated');
    expect(parseSalPacket(packet, -1, 32)).toBe('truncated');
  });
});

describe('writeSalPacketHeader', () => {
  const control = {
    flags: ControlFlag.syn,
    controlSequence: controlSequence(0xbde10e33),
    controlAck: controlSequence(0),
    nonce: FlowNonce.of(0xa1906e42, 0x67d08684),
  };
  const service = ServiceID.fromHex('00004001'.padEnd(64, '0'))!;
  const other = ServiceID.fromHex('ab'.repeat(32))!;
  const base = { sourceFlowID: flowID(2), destinationFlowID: FLOW_ID_UNKNOWN, protocol: 6 };
  const addresses = {
    controlSequence: controlSequence(1),
    controlAck: controlSequence(2),
    addresses: [NetworkAddress.parse('192.0.2.1')!],
  };
  const source = [NetworkAddress.parse('10.77.0.1')!, NetworkAddress.parse('10.77.0.254')!];

  it.each<[string, SalPacketHeader, string[]]>([
    ['nothing', base, []],
    ['CONTROL', { ...base, control }, [CONTROL]],
    ['a datagram', { ...base, destinationService: service, sourceService: other }, [SERVICE, OTHER_SERVICE]],
    ['a list of plain IPv4', { ...base, source }, [SOURCE]],
    [
      'everything',
      { ...base, source, addresses, sourceService: other, destinationService: service, control },
      [CONTROL, SERVICE, OTHER_SERVICE, ADDRESS, SOURCE],
    ],
  ])('writes the original order and seals: %s', (_, header, extensions) => {
    expect(written((bytes, at) => writeSalPacketHeader(bytes, at, header))).toBe(bytesHex(packetWith(...extensions)));
    expect(salPacketHeaderBytes(header)).toBe(packetWith(...extensions).length);
  });

  it('writes the SYN of the original', () => {
    const header = { ...base, control, destinationService: service };
    expect(written((bytes, at) => writeSalPacketHeader(bytes, at, header))).toBe(
      bytesHex(hexBytes(`00000002 00000000 11063481 ${CONTROL} ${SERVICE}`)),
    );
  });

  it('takes our extension for ports and for IPv6, and where it is told to', () => {
    const kindOf = (header: SalPacketHeader): string | undefined => {
      const bytes = new Uint8Array(512);
      const length = writeSalPacketHeader(bytes, 0, header);
      const packet = parseWhole(bytes.slice(0, length));
      expect(packet.source?.map((address) => address.ip)).toEqual(header.source?.map((address) => address.ip));
      return packet.sourceKind;
    };
    const withPort = source.map((address) => address.withPort(54325));
    expect(kindOf({ ...base, source })).toBe('source');
    expect(kindOf({ ...base, source: withPort })).toBe('endpointSource');
    expect(kindOf({ ...base, source: [NetworkAddress.parse('::')!] })).toBe('endpointSource');
    expect(kindOf({ ...base, source, sourceKind: 'endpointSource' })).toBe('endpointSource');
    expect(kindOf({ ...base, source: withPort, sourceKind: 'source' })).toBe('source');
  });

  it('writes again what was read', () => {
    const bytes = packetWith(CONTROL, SERVICE, OTHER_SERVICE, ADDRESS, ENDPOINT_SOURCE);
    expect(written((target, at) => writeSalPacketHeader(target, at, parseWhole(bytes)))).toBe(bytesHex(bytes));
  });

  it('refuses a source service alone: it would be read as the destination', () => {
    expect(() => writeSalPacketHeader(new Uint8Array(99), 0, { ...base, sourceService: service })).toThrow(TypeError);
  });
});

/** A sealed packet of flow 2 with these extensions, in hexadecimal. */
function packetWith(...extensions: string[]): Uint8Array {
  const body = hexBytes(extensions.join(''));
  if (body.length % 4 !== 0) throw new Error('extensions fill words');
  const bytes = new Uint8Array(12 + body.length);
  bytes.set(hexBytes('00000002 00000000 0006'));
  bytes[8] = bytes.length / 4;
  bytes.set(body, 12);
  sealSalHeader(bytes, 0);
  return bytes;
}

function parse(bytes: Uint8Array): unknown {
  return parseSalPacket(bytes, 0, bytes.length);
}
