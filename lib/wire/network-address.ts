// An IPv4 or IPv6 address with the UDP port that encapsulation adds (0 on a raw link). It is four 32-bit
// words so that the data path can compare and copy it without building an object for each packet.

export type AddressFamily = 4 | 6;

export class NetworkAddress {
  private text: string | undefined;

  private constructor(
    readonly family: AddressFamily,
    /** UDP port, 0 where the link has no ports. */
    readonly port: number,
    /** IPv4: the address in word0 and the rest 0. IPv6: four big-endian words. Signed 32-bit integers. */
    readonly word0: number,
    readonly word1: number,
    readonly word2: number,
    readonly word3: number,
  ) {}

  static fromWords(
    family: AddressFamily,
    port: number,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
  ): NetworkAddress {
    return new NetworkAddress(family, port, w0 | 0, w1 | 0, w2 | 0, w3 | 0);
  }

  /** Parses a literal IPv4 or IPv6 address (no zone, no brackets). `undefined` when it is neither. */
  static parse(ip: string, port = 0): NetworkAddress | undefined {
    const v4 = parseIPv4(ip);
    if (v4 !== undefined) return new NetworkAddress(4, port, v4, 0, 0, 0);
    const groups = parseIPv6(ip);
    if (groups === undefined) return undefined;
    const word = (index: number): number => (groups[index]! << 16) | groups[index + 1]! | 0;
    return new NetworkAddress(6, port, word(0), word(2), word(4), word(6));
  }

  /** `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`, the port 1 to 65535. `undefined` when it is none of these. */
  static parseEndpoint(text: string, defaultPort: number): NetworkAddress | undefined {
    const bare = NetworkAddress.parse(text, defaultPort);
    if (bare !== undefined) return bare;
    const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
    const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
    if (match === null || port > 65_535 || (match[3] !== undefined && port < 1)) return undefined;
    const address = NetworkAddress.parse(match[1] ?? match[2]!, port);
    // Brackets are for IPv6, which alone has colons.
    return address?.family === (match[1] === undefined ? 4 : 6) ? address : undefined;
  }

  withPort(port: number): NetworkAddress {
    return port === this.port
      ? this
      : new NetworkAddress(this.family, port, this.word0, this.word1, this.word2, this.word3);
  }

  /** The unspecified address of the same family with the same port. */
  withoutIp(): NetworkAddress {
    return new NetworkAddress(this.family, this.port, 0, 0, 0, 0);
  }

  /** The IP address as text, without the port. */
  get ip(): string {
    this.text ??=
      this.family === 4 ? formatIPv4(this.word0) : formatIPv6([this.word0, this.word1, this.word2, this.word3]);
    return this.text;
  }

  equals(other: NetworkAddress): boolean {
    return this.port === other.port && this.sameIp(other);
  }

  sameIp(other: NetworkAddress): boolean {
    return (
      this.family === other.family &&
      this.word0 === other.word0 &&
      this.word1 === other.word1 &&
      this.word2 === other.word2 &&
      this.word3 === other.word3
    );
  }

  get isUnspecified(): boolean {
    return (this.word0 | this.word1 | this.word2 | this.word3) === 0;
  }

  get isLoopback(): boolean {
    if (this.family === 4) return this.word0 >>> 24 === 127;
    return (this.word0 | this.word1 | this.word2) === 0 && this.word3 === 1;
  }

  /** IPv6 ff00::/8 or IPv4 224.0.0.0/4. */
  get isMulticast(): boolean {
    return this.family === 4 ? this.word0 >>> 28 === 0xe : this.word0 >>> 24 === 0xff;
  }

  /**
   * Whether one host can have it: not unspecified, multicast, of IPv4's ranges 0/8 and 240/4 (in which the limited
   * broadcast address is), or an IPv4 address written as IPv6, which would get around all of this.
   */
  get isUnicast(): boolean {
    if (this.isUnspecified || this.isMulticast) return false;
    if (this.family === 4) return this.word0 >>> 24 !== 0 && this.word0 >>> 28 !== 0xf;
    return (this.word0 | this.word1) !== 0 || (this.word2 !== 0xffff && this.word2 !== 0) || this.isLoopback;
  }

  toJSON(): string {
    return this.toString();
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  toString(): string {
    const host = this.family === 6 ? `[${this.ip}]` : this.ip;
    return this.port === 0 ? this.ip : `${host}:${this.port}`;
  }
}

/** No leading zeros: some read them as octal, and an address must not mean two things. */
const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

function parseIPv4(text: string): number | undefined {
  const match = IPV4.exec(text);
  if (match === null) return undefined;
  let value = 0;
  for (let index = 1; index <= 4; index++) {
    const octet = Number(match[index]);
    if (octet > 255) return undefined;
    value = (value << 8) | octet;
  }
  return value | 0;
}

function parseIPv6(text: string): number[] | undefined {
  if (!text.includes(':')) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** A dotted IPv4 address may stand for two groups, but only at the end of the whole address. */
function parseGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = isEnd && index === parts.length - 1 ? parseIPv4(part) : undefined;
      if (v4 === undefined) return undefined;
      groups.push(v4 >>> 16, v4 & 0xffff);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

function formatIPv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** RFC 5952: lower case, the longest run of two or more zero groups as `::`, v4-mapped dotted. */
function formatIPv6(words: readonly number[]): string {
  if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff) return `::ffff:${formatIPv4(words[3]!)}`;
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > bestLength) {
      bestStart = start;
      bestLength = length;
    }
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (bestStart < 0) return hex(groups);
  return `${hex(groups.slice(0, bestStart))}::${hex(groups.slice(bestStart + bestLength))}`;
}
