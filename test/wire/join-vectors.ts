// Packets and the rows they are joined into; see train-vectors.ts.

import type { JoinVector } from './train-vectors';

export const joinVectors: readonly JoinVector[] = [
  {
    name: 'equal segments and a short last one; PSH is or-ed',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501801f400000000 08090a0b0c0d0e0f' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f80000004d501001f400000000 1011121314151617' },
      { bytes: '0a0000020b0000030306e7f4 00000000000004000000004d501001f400000000 18191a' },
    ],
    rows: [
      {
        sequence: 1000,
        tcpFlags: 24,
        segments: 4,
        segmentSize: 8,
        payload: '000102030405060708090a0b0c0d0e0f101112131415161718191a',
      },
    ],
    drops: {},
  },
  {
    name: 'a short segment ends the train',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501001f400000000 08090a0b0c' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f50000004d501001f400000000 0d0e0f1011121314' },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 16, segments: 2, segmentSize: 8, payload: '000102030405060708090a0b0c' },
      { sequence: 1013, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0d0e0f1011121314' },
    ],
    drops: {},
  },
  {
    name: 'a longer segment starts another train',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 00010203' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003ec0000004d501001f400000000 0405060708090a0b' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f40000004d501001f400000000 0c0d0e0f10111213' },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 4, payload: '00010203' },
      { sequence: 1004, tcpFlags: 16, segments: 2, segmentSize: 8, payload: '0405060708090a0b0c0d0e0f10111213' },
    ],
    drops: {},
  },
  {
    name: 'a gap',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f80000004d501001f400000000 08090a0b0c0d0e0f' },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0001020304050607' },
      { sequence: 1016, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '08090a0b0c0d0e0f' },
    ],
    drops: {},
  },
  {
    name: 'out of order',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501001f400000000 08090a0b0c0d0e0f' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
    ],
    rows: [
      { sequence: 1008, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '08090a0b0c0d0e0f' },
      { sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0001020304050607' },
    ],
    drops: {},
  },
  {
    name: 'a duplicate',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0001020304050607' },
      { sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0001020304050607' },
    ],
    drops: {},
  },
  {
    name: 'sequence numbers that wrap',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000fffffffc0000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000000040000004d501001f400000000 08090a0b0c0d0e0f' },
    ],
    rows: [
      { sequence: 4294967292, tcpFlags: 16, segments: 2, segmentSize: 8, payload: '000102030405060708090a0b0c0d0e0f' },
    ],
    drops: {},
  },
  {
    name: 'pure acknowledgments stay apart, also behind data',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501001f400000000' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501001f400000000' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501001f400000000 08090a0b0c0d0e0f' },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0001020304050607' },
      { sequence: 1008, tcpFlags: 16, segments: 1, segmentSize: 0, payload: '' },
      { sequence: 1008, tcpFlags: 16, segments: 1, segmentSize: 0, payload: '' },
      { sequence: 1008, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '08090a0b0c0d0e0f' },
    ],
    drops: {},
  },
  {
    name: 'FIN with data joins and ends the train',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501901f400000000 08090a0b0c0d0e0f' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f90000004d501001f400000000 1011121314151617' },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 25, segments: 2, segmentSize: 8, payload: '000102030405060708090a0b0c0d0e0f' },
      { sequence: 1017, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '1011121314151617' },
    ],
    drops: {},
  },
  {
    name: 'nothing joins a first segment with FIN, and a bare FIN joins nothing',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501101f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501001f400000000 08090a0b0c0d0e0f' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f80000004d501101f400000000' },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 17, segments: 1, segmentSize: 8, payload: '0001020304050607' },
      { sequence: 1008, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '08090a0b0c0d0e0f' },
      { sequence: 1016, tcpFlags: 17, segments: 1, segmentSize: 0, payload: '' },
    ],
    drops: {},
  },
  {
    name: 'another acknowledgment number',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f00000004e501001f400000000 08090a0b0c0d0e0f' },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0001020304050607' },
      { sequence: 1008, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '08090a0b0c0d0e0f', acknowledgment: 78 },
    ],
    drops: {},
  },
  {
    name: 'another window',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501001f500000000 08090a0b0c0d0e0f' },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0001020304050607' },
      { sequence: 1008, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '08090a0b0c0d0e0f', window: 501 },
    ],
    drops: {},
  },
  {
    name: 'large numbers',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 0000000090000000f00000005010ffff00000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 0000000090000008f00000005010ffff00000000 08090a0b0c0d0e0f' },
    ],
    rows: [
      {
        sequence: 2415919104,
        tcpFlags: 16,
        segments: 2,
        segmentSize: 8,
        payload: '000102030405060708090a0b0c0d0e0f',
        acknowledgment: 4026531840,
        window: 65535,
      },
    ],
    drops: {},
  },
  {
    name: 'options on the second or the first segment',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      {
        bytes:
          '0a0000020b0000030306e7f4 00000000000003f00000004d801001f4000000000101050a0000100000002000 08090a0b0c0d0e0f',
      },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f80000004d501001f400000000 1011121314151617' },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0001020304050607' },
      {
        sequence: 1008,
        tcpFlags: 16,
        segments: 1,
        segmentSize: 8,
        payload: '08090a0b0c0d0e0f',
        options: '0101050a0000100000002000',
      },
      { sequence: 1016, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '1011121314151617' },
    ],
    drops: {},
  },
  {
    name: 'RST, and segments without ACK, join nothing',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501401f400000000 08090a0b0c0d0e0f' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f80000004d501001f400000000 1011121314151617' },
      { bytes: '0a0000020b0000030306e7f4 00000000000004000000004d500001f400000000 18191a' },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0001020304050607' },
      { sequence: 1008, tcpFlags: 20, segments: 1, segmentSize: 8, payload: '08090a0b0c0d0e0f' },
      { sequence: 1016, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '1011121314151617' },
      { sequence: 1024, tcpFlags: 0, segments: 1, segmentSize: 3, payload: '18191a' },
    ],
    drops: {},
  },
  {
    name: 'flows that alternate are not joined; flows in runs are',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501001f400000000 08090a0b0c0d0e0f' },
      { bytes: '0a0000020c0000040306e6f3 00000000000013880000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020c0000040306e6f3 00000000000013900000004d501001f400000000 08090a0b0c0d0e0f' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f80000004d501001f400000000 1011121314151617' },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 16, segments: 2, segmentSize: 8, payload: '000102030405060708090a0b0c0d0e0f' },
      {
        sequence: 5000,
        tcpFlags: 16,
        segments: 2,
        segmentSize: 8,
        payload: '000102030405060708090a0b0c0d0e0f',
        destinationFlowID: 0x0c000004,
      },
      { sequence: 1016, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '1011121314151617' },
    ],
    drops: {},
  },
  {
    name: 'another source flowID',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      { bytes: '0c0000040b0000030306e5f2 00000000000003f00000004d501001f400000000 08090a0b0c0d0e0f' },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0001020304050607' },
      {
        sequence: 1008,
        tcpFlags: 16,
        segments: 1,
        segmentSize: 8,
        payload: '08090a0b0c0d0e0f',
        sourceFlowID: 0x0c000004,
      },
    ],
    drops: {},
  },
  {
    name: 'another source address, port or family, or another local port',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      {
        bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501001f400000000 08090a0b0c0d0e0f',
        source: '192.0.2.9',
      },
      {
        bytes: '0a0000020b0000030306e7f4 00000000000003f80000004d501001f400000000 1011121314151617',
        source: '192.0.2.9',
        sourcePort: 54326,
      },
      {
        bytes: '0a0000020b0000030306e7f4 00000000000004000000004d501001f400000000 18191a1b1c1d1e1f',
        source: '2001:db8::9',
        sourcePort: 54326,
      },
      {
        bytes: '0a0000020b0000030306e7f4 00000000000004080000004d501001f400000000 2021222324252627',
        source: '2001:db8::9',
        sourcePort: 54326,
        localPort: 40001,
      },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0001020304050607' },
      {
        sequence: 1008,
        tcpFlags: 16,
        segments: 1,
        segmentSize: 8,
        payload: '08090a0b0c0d0e0f',
        source: '192.0.2.9',
      },
      {
        sequence: 1016,
        tcpFlags: 16,
        segments: 1,
        segmentSize: 8,
        payload: '1011121314151617',
        source: '192.0.2.9',
        sourcePort: 54326,
      },
      {
        sequence: 1024,
        tcpFlags: 16,
        segments: 1,
        segmentSize: 8,
        payload: '18191a1b1c1d1e1f',
        source: '2001:db8::9',
        sourcePort: 54326,
      },
      {
        sequence: 1032,
        tcpFlags: 16,
        segments: 1,
        segmentSize: 8,
        payload: '2021222324252627',
        source: '2001:db8::9',
        sourcePort: 54326,
        localPort: 40001,
      },
    ],
    drops: {},
  },
  {
    name: 'options behind a segment that is larger than options and payload together',
    packets: [
      {
        bytes:
          '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 000102030405060708090a0b0c0d0e0f1011121314151617',
      },
      {
        bytes: '0a0000020b0000030306e7f4 00000000000004000000004d801001f4000000000101050a0000100000002000 00010203',
      },
    ],
    rows: [
      {
        sequence: 1000,
        tcpFlags: 16,
        segments: 1,
        segmentSize: 24,
        payload: '000102030405060708090a0b0c0d0e0f1011121314151617',
      },
      {
        sequence: 1024,
        tcpFlags: 16,
        segments: 1,
        segmentSize: 4,
        payload: '00010203',
        options: '0101050a0000100000002000',
      },
    ],
    drops: {},
  },
  {
    name: 'the broadcast flag',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      {
        bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501001f400000000 08090a0b0c0d0e0f',
        isBroadcast: true,
      },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0001020304050607' },
      { sequence: 1008, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '08090a0b0c0d0e0f', isBroadcast: true },
    ],
    drops: {},
  },
  {
    name: 'a packet with an extension stays as it is and ends the train',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030806d5de1014040059f7f8acbde10e34dc24df01428cdc94' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501001f400000000 08090a0b0c0d0e0f' },
    ],
    rows: [
      { sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0001020304050607' },
      { bytes: '0a0000020b0000030806d5de1014040059f7f8acbde10e34dc24df01428cdc94' },
      { sequence: 1008, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '08090a0b0c0d0e0f' },
    ],
    drops: {},
  },
  {
    name: 'UDP behind a bare header is for parseSalPacket; so is a bad check there',
    packets: [
      { bytes: '0a0000020b0000030311e7e9 00000000000d0000 68656c6c6f' },
      { bytes: '0a0000020b0000030311e7e8 00000000000d0000 68656c6c6f' },
    ],
    rows: [
      { bytes: '0a0000020b0000030311e7e9 00000000000d0000 68656c6c6f' },
      { bytes: '0a0000020b0000030311e7e8 00000000000d0000 68656c6c6f' },
    ],
    drops: {},
  },
  {
    name: 'dropped: short, bad check, TCP header cut, data offset too small and too large',
    packets: [
      { bytes: '0a0000020b0000030306e7' },
      { bytes: '0a0000020b0000030306e7f5 00000000000003e80000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f4000000' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d401001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d801001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
    ],
    rows: [{ sequence: 1000, tcpFlags: 16, segments: 1, segmentSize: 8, payload: '0001020304050607' }],
    drops: { truncated: 1, badCheck: 1, tcpTruncated: 1, tcpHeaderLength: 2 },
  },
  {
    name: 'a dropped packet does not end the train',
    packets: [
      { bytes: '0a0000020b0000030306e7f4 00000000000003e80000004d501001f400000000 0001020304050607' },
      { bytes: '0a0000020b0000030306e7f5 00000000000003f00000004d501001f400000000 08090a0b0c0d0e0f' },
      { bytes: '0a0000020b0000030306e7f4 00000000000003f00000004d501001f400000000 08090a0b0c0d0e0f' },
    ],
    rows: [{ sequence: 1000, tcpFlags: 16, segments: 2, segmentSize: 8, payload: '000102030405060708090a0b0c0d0e0f' }],
    drops: { badCheck: 1 },
  },
];
