// The extension formats, each with known bytes both ways and with every length that it must refuse.

import { describe, expect, it } from 'vitest';
import { SOURCE_ADDRESSES_MAXIMUM } from '../../lib/limits';
import { addressExtensionBytes, parseAddressExtension, writeAddressExtension } from '../../lib/wire/address-extension';
import {
  ControlFlag,
  controlSequence,
  parseControlExtension,
  writeControlExtension,
} from '../../lib/wire/control-extension';
import {
  endpointAddressExtensionBytes,
  parseEndpointAddressExtension,
  writeEndpointAddressExtension,
} from '../../lib/wire/endpoint-address-extension';
import {
  ENDPOINT_SOURCE_STOP,
  EndpointSourceFlag,
  endpointSourceExtensionBytes,
  fitsEndpointSourceExtension,
  parseEndpointSourceExtension,
  readEndpointSourceFlags,
  relayIndex,
  withRelay,
  writeEndpointSourceExtension,
} from '../../lib/wire/endpoint-source-extension';
import { FlowNonce } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { parseRendezvousExtension, writeRendezvousExtension } from '../../lib/wire/rendezvous-extension';
import { parseServiceExtension, writeServiceExtension } from '../../lib/wire/service-extension';
import { ServiceID } from '../../lib/wire/service-id';
import {
  fitsSourceExtension,
  parseSourceExtension,
  sourceExtensionBytes,
  writeSourceExtension,
} from '../../lib/wire/source-extension';
import { bytesHex, hexBytes, written } from './bytes';

const address = (ip: string, port = 0): NetworkAddress => NetworkAddress.parse(ip, port)!;
const repeated = (count: number, ip: string, port = 0): NetworkAddress[] =>
  new Array<NetworkAddress>(count).fill(address(ip, port));

describe('CONTROL', () => {
  // The original's SYN-ACK, a-tcp #2.
  const bytes = hexBytes('1014a000 59f7f8ab bde10e34 dc24df01428cdc94');
  const value = {
    flags: ControlFlag.syn | ControlFlag.ack,
    controlSequence: controlSequence(0x59f7f8ab),
    controlAck: controlSequence(0xbde10e34),
    detail: 0,
    nonce: FlowNonce.of(0xdc24df01, 0x428cdc94),
  };

  it('is read and written', () => {
    expect(parseControlExtension(bytes, 0, 20)).toEqual(value);
    expect(written((target, at) => writeControlExtension(target, at, value))).toBe(bytesHex(bytes));
  });

  it('ignores reserved bits and writes them as 0', () => {
    const noisy = hexBytes('1f14a300 59f7f8ab bde10e34 dc24df01428cdc94');
    expect(parseControlExtension(noisy, 0, 20)).toEqual(value);
    const flags = 0xff;
    expect(written((target, at) => writeControlExtension(target, at, { ...value, flags })).slice(0, 8)).toBe(
      '1014fc00',
    );
  });

  it('carries a detail of one byte, 0 unless one is given', () => {
    expect(parseControlExtension(hexBytes('1014a0ff 59f7f8ab bde10e34 dc24df01428cdc94'), 0, 20)).toEqual({
      ...value,
      detail: 255,
    });
    const { detail: _, ...plain } = value;
    expect(written((target, at) => writeControlExtension(target, at, plain))).toBe(bytesHex(bytes));
    expect(written((target, at) => writeControlExtension(target, at, { ...value, detail: 3 }))).toBe(
      bytesHex(bytes).replace('1014a000', '1014a003'),
    );
  });

  it.each([2, 16, 19, 21, 24, 255])('has no length of %i', (length) => {
    expect(parseControlExtension(new Uint8Array(300), 0, length)).toBe('extensionLength');
  });
});

describe('SERVICE', () => {
  const bytes = hexBytes(`20240000 00004001${'00'.repeat(27)}7f`);

  it('is read and written', () => {
    const serviceID = parseServiceExtension(bytes, 0, 36) as ServiceID;
    expect(serviceID).toBeInstanceOf(ServiceID);
    expect(serviceID.toString()).toBe(`00004001${'00'.repeat(27)}7f`);
    expect(written((target, at) => writeServiceExtension(target, at, serviceID))).toBe(bytesHex(bytes));
  });

  it.each([2, 32, 35, 37, 40])('has no length of %i', (length) => {
    expect(parseServiceExtension(new Uint8Array(300), 0, length)).toBe('extensionLength');
  });

  it('reads the same serviceID as one object, and tells others from it to the last bit', () => {
    const written = (last: number): Uint8Array => {
      const bytes = new Uint8Array(36);
      const words = [0xfedcba98, 2, 3, 4, 5, 6, 7, last];
      writeServiceExtension(bytes, 0, ServiceID.fromWords(words));
      return bytes;
    };
    const first = parseServiceExtension(written(8), 0, 36) as ServiceID;
    expect(parseServiceExtension(written(8), 0, 36)).toBe(first);
    expect((parseServiceExtension(written(9), 0, 36) as ServiceID).words[7]).toBe(9);
    expect((parseServiceExtension(written(8), 0, 36) as ServiceID).words[7]).toBe(8);
    expect(first.words[7]).toBe(8);
  });
});

describe('ADDRESS', () => {
  const bytes = hexBytes('30140000 00000007 fffffffe 0a4d0001 c0000201');
  const value = {
    controlSequence: controlSequence(7),
    controlAck: controlSequence(0xfffffffe),
    addresses: [address('10.77.0.1'), address('192.0.2.1')],
  };

  it('is read and written', () => {
    expect(parseAddressExtension(bytes, 0, 20)).toEqual(value);
    expect(addressExtensionBytes(value)).toBe(20);
    expect(written((target, at) => writeAddressExtension(target, at, value))).toBe(bytesHex(bytes));
  });

  it('may be empty and is bounded by its length byte', () => {
    expect(parseAddressExtension(bytes, 0, 12)).toMatchObject({ addresses: [] });
    const full = { ...value, addresses: repeated(60, '192.0.2.1') };
    expect(written((target, at) => writeAddressExtension(target, at, full)).length).toBe(2 * 252);
    const excess = { ...value, addresses: repeated(61, '192.0.2.1') };
    expect(() => writeAddressExtension(new Uint8Array(300), 0, excess)).toThrow(RangeError);
    const ipv6 = { ...value, addresses: [address('::1')] };
    expect(() => writeAddressExtension(new Uint8Array(300), 0, ipv6)).toThrow(RangeError);
  });

  it.each([2, 4, 11, 13, 18, 19])('has no length of %i', (length) => {
    expect(parseAddressExtension(bytes, 0, length)).toBe('extensionLength');
  });
});

describe('ENDPOINT_ADDRESS', () => {
  const bytes = hexBytes('60280000 00000007 fffffffe 0400d435 0a4d0001 06000000 20010db8 00000000 00000000 00000001');
  const value = {
    controlSequence: controlSequence(7),
    controlAck: controlSequence(0xfffffffe),
    addresses: [address('10.77.0.1', 54325), address('2001:db8::1')],
  };

  it('is read and written', () => {
    expect(parseEndpointAddressExtension(bytes, 0, 40)).toEqual(value);
    expect(endpointAddressExtensionBytes(value)).toBe(40);
    expect(written((target, at) => writeEndpointAddressExtension(target, at, value))).toBe(bytesHex(bytes));
  });

  it('may be empty and is bounded', () => {
    expect(parseEndpointAddressExtension(bytes, 0, 12)).toMatchObject({ addresses: [] });
    const full = { ...value, addresses: repeated(12, '2001:db8::1') };
    expect(written((target, at) => writeEndpointAddressExtension(target, at, full)).length).toBe(2 * 252);
    const excess = { ...value, addresses: repeated(13, '192.0.2.1') };
    expect(() => writeEndpointAddressExtension(new Uint8Array(300), 0, excess)).toThrow(RangeError);
    const many = hexBytes(`60740000 00000007 00000001 ${'0400d435 0a4d0001 '.repeat(13)}`);
    expect(parseEndpointAddressExtension(many, 0, 116)).toBe('sourceAddresses');
  });

  it.each([2, 4, 11, 13, 19, 21, 39])('has no length of %i', (length) => {
    expect(parseEndpointAddressExtension(bytes, 0, length)).toBe('extensionLength');
  });
});

describe('SOURCE', () => {
  // A SYN behind one service router, d-syn-forward-server #1.
  const bytes = hexBytes('400c0000 0a4d0001 0a4d00fe');
  const value = [address('10.77.0.1'), address('10.77.0.254')];

  it('is read and written', () => {
    expect(parseSourceExtension(bytes, 0, 12)).toEqual(value);
    expect(sourceExtensionBytes(value)).toBe(12);
    expect(written((target, at) => writeSourceExtension(target, at, value))).toBe(bytesHex(bytes));
  });

  it('leaves ports out', () => {
    const withPorts = value.map((entry) => entry.withPort(54325));
    expect(written((target, at) => writeSourceExtension(target, at, withPorts))).toBe(bytesHex(bytes));
  });

  it('holds 2 to 20 addresses', () => {
    const large = new Uint8Array(300);
    expect(parseSourceExtension(large, 0, 4)).toBe('sourceAddresses');
    expect(parseSourceExtension(large, 0, 8)).toBe('sourceAddresses');
    expect(parseSourceExtension(large, 0, 84)).toHaveLength(SOURCE_ADDRESSES_MAXIMUM);
    expect(parseSourceExtension(large, 0, 88)).toBe('sourceAddresses');
    expect(parseSourceExtension(large, 0, 252)).toBe('sourceAddresses');
  });

  it.each([2, 3, 5, 10, 11, 13])('has no length of %i', (length) => {
    expect(parseSourceExtension(bytes, 0, length)).toBe('extensionLength');
  });

  it('knows what fits', () => {
    expect(fitsSourceExtension(value)).toBe(true);
    expect(fitsSourceExtension(value.slice(1))).toBe(false);
    expect(fitsSourceExtension(repeated(20, '192.0.2.1'))).toBe(true);
    expect(fitsSourceExtension(repeated(21, '192.0.2.1'))).toBe(false);
    expect(fitsSourceExtension([...value, address('::1')])).toBe(false);
    expect(() => writeSourceExtension(new Uint8Array(300), 0, [])).toThrow(RangeError);
  });
});

describe('ENDPOINT_SOURCE', () => {
  const bytes = hexBytes(`50280000
    0400d435 00000000
    0600d435 20010db8000000000000000000000009
    04009c40 c0000207`);
  const value = [address('0.0.0.0', 54325), address('2001:db8::9', 54325), address('192.0.2.7', 40000)];

  it('is read and written', () => {
    expect(parseEndpointSourceExtension(bytes, 0, 40)).toEqual(value);
    expect(endpointSourceExtensionBytes(value)).toBe(40);
    expect(written((target, at) => writeEndpointSourceExtension(target, at, value))).toBe(bytesHex(bytes));
  });

  it('ignores reserved bits', () => {
    const noisy = bytes.slice();
    noisy[0] = 0x5f;
    noisy[2] = noisy[3] = noisy[5] = 0xff;
    expect(parseEndpointSourceExtension(noisy, 0, 40)).toEqual(value);
  });

  it('ends with an entry', () => {
    const ends = new Map([
      [12, 1],
      [32, 2],
      [40, 3],
    ]);
    for (let length = 2; length < 40; length++) {
      const parsed = parseEndpointSourceExtension(bytes, 0, length);
      const count = ends.get(length);
      if (count !== undefined) expect(parsed).toEqual(value.slice(0, count));
      else expect(parsed).toBe(length === 4 ? 'sourceAddresses' : 'extensionLength');
    }
  });

  it('refuses other families', () => {
    const strange = bytes.slice();
    strange[12] = 5;
    expect(parseEndpointSourceExtension(strange, 0, 40)).toBe('endpointFamily');
  });

  it('is bounded by the number of addresses and by its length byte', () => {
    expect(fitsEndpointSourceExtension([])).toBe(false);
    expect(fitsEndpointSourceExtension(repeated(1, '192.0.2.1'))).toBe(true);
    expect(fitsEndpointSourceExtension(repeated(20, '192.0.2.1'))).toBe(true);
    expect(fitsEndpointSourceExtension(repeated(21, '192.0.2.1'))).toBe(false);
    expect(fitsEndpointSourceExtension(repeated(12, '2001:db8::1'))).toBe(true);
    expect(fitsEndpointSourceExtension(repeated(13, '2001:db8::1'))).toBe(false);
    expect(() => writeEndpointSourceExtension(new Uint8Array(300), 0, [])).toThrow(RangeError);
    const tooMany = hexBytes(`50ac0000${'0400d435c0000207'.repeat(21)}`);
    expect(parseEndpointSourceExtension(tooMany, 0, 4 + 21 * 8)).toBe('sourceAddresses');
  });

  it('says what is to become of the answer, and where a SYN is to stop, in bits of their own', () => {
    const bytes = new Uint8Array(12);
    const [client] = repeated(1, '192.0.2.1');
    for (const flags of [0, ...Object.values(EndpointSourceFlag), 0xe0, 0x80 | 1, 0x80 | ENDPOINT_SOURCE_STOP]) {
      writeEndpointSourceExtension(bytes, 0, [client!], flags);
      expect(bytes[2]).toBe(flags);
      expect(readEndpointSourceFlags(bytes, 0)).toBe(flags);
      bytes[3] = 0xff;
      // Looked at only where it means something.
      if ((flags & EndpointSourceFlag.relay) === 0) expect(readEndpointSourceFlags(bytes, 0)).toBe(flags);
      expect(parseEndpointSourceExtension(bytes, 0, 12)).toEqual([client]);
    }
  });

  it('names the router that the answer is to go to, the first one unless it says another', () => {
    const bytes = new Uint8Array(12);
    for (const index of [1, 2, 19]) {
      const flags = withRelay(EndpointSourceFlag.record | 3, index);
      writeEndpointSourceExtension(bytes, 0, repeated(1, '192.0.2.1'), flags);
      expect([bytes[2], bytes[3]]).toEqual([0xc3, index]);
      expect(relayIndex(readEndpointSourceFlags(bytes, 0))).toBe(index);
      expect(relayIndex(withRelay(flags, 7))).toBe(7);
    }
    expect(relayIndex(EndpointSourceFlag.relay)).toBe(1);
  });
});

describe('RENDEZVOUS', () => {
  const bytes = hexBytes('700c0000 dc24df01428cdc94');
  const nonce = FlowNonce.of(0xdc24df01, 0x428cdc94);

  it('is read and written', () => {
    expect(parseRendezvousExtension(bytes, 0, 12)).toEqual(nonce);
    expect(written((target, at) => writeRendezvousExtension(target, at, nonce))).toBe(bytesHex(bytes));
  });

  it('ignores reserved bits', () => {
    expect(parseRendezvousExtension(hexBytes('7f0cffff dc24df01428cdc94'), 0, 12)).toEqual(nonce);
  });

  it.each([2, 4, 8, 11, 13, 16, 255])('has no length of %i', (length) => {
    expect(parseRendezvousExtension(new Uint8Array(300), 0, length)).toBe('extensionLength');
  });
});
