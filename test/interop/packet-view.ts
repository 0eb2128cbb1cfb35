// Reads SAL packets by the facts known of the original (wire format §2-§9) and says what of one it would
// drop. Written apart from lib/wire, so that a mistake there is not repeated by those who judge it.

/** A packet as it stands behind its IPv4 header. */
export interface IpPacket {
  readonly source: string;
  readonly destination: string;
  readonly bytes: Buffer;
}

export interface ControlView {
  readonly flags: number;
  readonly sequence: number;
  readonly ack: number;
  readonly nonce: string;
}

export interface TcpView {
  readonly sequence: number;
  readonly ack: number;
  readonly flags: number;
  readonly window: number;
  readonly maximumSegment: number | undefined;
  readonly windowScale: number | undefined;
  /** Kinds of all options but padding. */
  readonly options: readonly number[];
  readonly payload: Buffer;
}

export interface PacketView {
  readonly packet: IpPacket;
  readonly sourceFlowID: number;
  readonly destinationFlowID: number;
  readonly protocol: number;
  readonly salLength: number;
  /** Types of the extensions, in order. */
  readonly extensions: readonly number[];
  readonly control: ControlView | undefined;
  readonly services: readonly string[];
  readonly sourceList: readonly string[] | undefined;
  readonly tcp: TcpView | undefined;
  /** Payload of the UDP part. */
  readonly datagram: Buffer | undefined;
  readonly transport: Buffer;
  /** Why the original drops it. */
  readonly problems: readonly string[];
}

export const Extension = { control: 1, service: 2, source: 4 } as const;
export const Tcp = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32 } as const;
export const Control = { syn: 0x80, rsyn: 0x40, ack: 0x20, rst: 0x08, fin: 0x04 } as const;

const SAL_HEADER = 12;
const IP_HEADER = 20;
const PACKET_MAXIMUM = 1500;

type Draft = { -readonly [Key in keyof PacketView]: PacketView[Key] } & {
  problems: string[];
  extensions: number[];
  services: string[];
};

export function viewOf(packet: IpPacket): PacketView {
  const { bytes } = packet;
  const salLength = bytes[8]! * 4;
  const draft: Draft = {
    packet,
    sourceFlowID: bytes.readUInt32BE(0),
    destinationFlowID: bytes.readUInt32BE(4),
    protocol: bytes[9]!,
    salLength,
    extensions: [],
    control: undefined,
    services: [],
    sourceList: undefined,
    tcp: undefined,
    datagram: undefined,
    transport: bytes.subarray(salLength),
    problems: [],
  };
  // The original's receive buffers end there (§1).
  expectThat(draft, bytes.length + IP_HEADER <= PACKET_MAXIMUM, 'longer than 1500 bytes with its IP header');
  expectThat(draft, salLength >= SAL_HEADER && salLength <= bytes.length, 'SAL header length');
  expectThat(draft, foldedSum(bytes.subarray(0, salLength)) === 0xffff, 'SAL check');
  expectThat(draft, draft.protocol === 6 || draft.protocol === 17, 'protocol');
  readExtensions(draft);
  if (draft.transport.length > 0) readTransport(draft);
  return draft;
}

/** Sum of 16-bit words with the carries added in: 0xffff when the checksum inside of it is right (RFC 1071). */
export function foldedSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** The pseudo header has the transport's protocol, not 144, and the addresses of this packet's IP header (§9). */
export function pseudoHeader({ source, destination }: IpPacket, protocol: number, length: number): Buffer {
  return Buffer.concat([
    addressBytes(source),
    addressBytes(destination),
    Buffer.from([0, protocol, length >> 8, length]),
  ]);
}

export function addressBytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function readExtensions(draft: Draft): void {
  const { bytes } = draft.packet;
  let at = SAL_HEADER;
  while (at < draft.salLength) {
    const type = bytes[at]! >> 4;
    const length = bytes[at + 1]!;
    if (length < 4 || at + length > draft.salLength) {
      draft.problems.push('extension length');
      return;
    }
    draft.extensions.push(type);
    readExtension(draft, type, bytes.subarray(at, at + length));
    at += length;
  }
  expectThat(draft, at === draft.salLength, 'extensions do not fill the SAL header');
  expectThat(draft, draft.extensions.length <= 10, 'more than ten extensions');
}

function readExtension(draft: Draft, type: number, bytes: Buffer): void {
  if (type === Extension.control) {
    expectThat(draft, bytes.length === 20, 'CONTROL has 20 bytes');
    expectThat(draft, draft.control === undefined, 'two CONTROL');
    // A SYN that comes again says how often: the original does not look there.
    expectThat(draft, (bytes[2]! & 3) === 0 && (bytes[3] === 0 || bytes[2] === 0x80), 'reserved bits of CONTROL');
    draft.control = {
      flags: bytes[2]!,
      sequence: bytes.readUInt32BE(4),
      ack: bytes.readUInt32BE(8),
      nonce: bytes.toString('hex', 12, 20),
    };
  } else if (type === Extension.service) {
    expectThat(draft, bytes.length === 36, 'SERVICE has 36 bytes');
    draft.services.push(bytes.toString('hex', 4));
  } else if (type === Extension.source) {
    expectThat(draft, bytes.length >= 12 && bytes.length % 4 === 0, 'SOURCE has two addresses or more');
    expectThat(draft, draft.sourceList === undefined, 'two SOURCE');
    const count = (bytes.length - 4) / 4;
    const address = (at: number): string => [...bytes.subarray(at, at + 4)].join('.');
    draft.sourceList = Array.from({ length: count }, (_, index) => address(4 + index * 4));
  } else {
    // Type 3 is parsed and ignored; all above 4 cost the whole packet (§3).
    draft.problems.push(`extension of type ${type}`);
  }
}

function readTransport(draft: Draft): void {
  const { transport, protocol } = draft;
  const sum = foldedSum(Buffer.concat([pseudoHeader(draft.packet, protocol, transport.length), transport]));
  if (protocol === 6) {
    expectThat(draft, sum === 0xffff, 'TCP checksum');
    readTcp(draft);
  } else if (transport.length < 8 || transport.readUInt16BE(4) !== transport.length) {
    draft.problems.push('UDP length');
  } else {
    expectThat(draft, sum === 0xffff || transport.readUInt16BE(6) === 0, 'UDP checksum');
    expectThat(draft, transport.readUInt32BE(0) === 0, 'UDP ports are 0');
    draft.datagram = transport.subarray(8);
  }
}

function readTcp(draft: Draft): void {
  const { transport } = draft;
  const headerLength = transport.length < 20 ? 0 : (transport[12]! >> 4) * 4;
  if (headerLength < 20 || headerLength > transport.length) {
    draft.problems.push('TCP header length');
    return;
  }
  expectThat(draft, transport.readUInt32BE(0) === 0, 'TCP ports are 0');
  expectThat(draft, transport.readUInt16BE(18) === 0, 'TCP urgent pointer is 0');
  const options: number[] = [];
  let maximumSegment: number | undefined;
  let windowScale: number | undefined;
  for (let at = 20; at < headerLength; ) {
    const kind = transport[at]!;
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = transport[at + 1]!;
    if (length < 2 || at + length > headerLength) {
      draft.problems.push('TCP option length');
      break;
    }
    options.push(kind);
    if (kind === 2) maximumSegment = transport.readUInt16BE(at + 2);
    if (kind === 3) windowScale = transport[at + 2]!;
    at += length;
  }
  draft.tcp = {
    sequence: transport.readUInt32BE(4),
    ack: transport.readUInt32BE(8),
    flags: transport[13]!,
    window: transport.readUInt16BE(14),
    maximumSegment,
    windowScale,
    options,
    payload: transport.subarray(headerLength),
  };
}

function expectThat(draft: Draft, holds: boolean, problem: string): void {
  if (!holds) draft.problems.push(problem);
}
