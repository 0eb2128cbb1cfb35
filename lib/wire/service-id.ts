// The 256-bit name of a service (§3.1) and the prefixes of such names. How a text becomes one by hashing
// stands in socket/service-name.ts, above the line: hashing needs the platform.

import { readUint32 } from './big-endian';

export const SERVICE_ID_BYTES = 32;
export const SERVICE_ID_BITS = 256;

/** A service's name: 256 bits, compared by value. Immutable. */
export class ServiceID {
  static readonly zero = new ServiceID(new Uint32Array(8));
  private text: string | undefined;

  private constructor(
    /** Eight big-endian words. Never changed. */
    readonly words: Uint32Array,
  ) {}

  /** Reads 32 bytes at `offset`. The caller has checked that they are there. */
  static fromBytes(bytes: Uint8Array, offset = 0): ServiceID {
    const words = new Uint32Array(8);
    readServiceIDWords(bytes, offset, words, 0);
    return new ServiceID(words);
  }

  static fromWords(words: ArrayLike<number>): ServiceID {
    const copy = new Uint32Array(8);
    for (let index = 0; index < 8; index++) copy[index] = words[index]!;
    return new ServiceID(copy);
  }

  /** Exactly 64 hex digits; `undefined` for anything else. */
  static fromHex(text: string): ServiceID | undefined {
    if (!/^[0-9a-fA-F]{64}$/.test(text)) return undefined;
    const words = new Uint32Array(8);
    for (let index = 0; index < 8; index++) words[index] = Number.parseInt(text.slice(index * 8, index * 8 + 8), 16);
    return new ServiceID(words);
  }

  writeTo(bytes: Uint8Array, offset: number): void {
    for (let index = 0; index < 8; index++) {
      const word = this.words[index]!;
      const at = offset + index * 4;
      bytes[at] = word >>> 24;
      bytes[at + 1] = word >>> 16;
      bytes[at + 2] = word >>> 8;
      bytes[at + 3] = word;
    }
  }

  /** Whether the 32 bytes at `offset` are this one's. */
  isAt(bytes: Uint8Array, offset: number): boolean {
    for (let index = 0; index < 8; index++)
      if (readUint32(bytes, offset + index * 4) !== this.words[index]) return false;
    return true;
  }

  toBytes(): Uint8Array {
    const bytes = new Uint8Array(SERVICE_ID_BYTES);
    this.writeTo(bytes, 0);
    return bytes;
  }

  equals(other: ServiceID): boolean {
    for (let index = 0; index < 8; index++) if (this.words[index] !== other.words[index]) return false;
    return true;
  }

  get isZero(): boolean {
    return this.equals(ServiceID.zero);
  }

  toJSON(): string {
    return this.toString();
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `ServiceID(${this})`;
  }

  /** 64 lower-case hex digits. */
  toString(): string {
    this.text ??= Array.from(this.words, (word) => word.toString(16).padStart(8, '0')).join('');
    return this.text;
  }
}

/** Reads 32 bytes at `offset` into eight of `words` from `at` on. The caller has checked that they are there. */
export function readServiceIDWords(bytes: Uint8Array, offset: number, words: Uint32Array, at: number): void {
  for (let index = 0; index < 8; index++) words[at + index] = readUint32(bytes, offset + index * 4);
}

/** The serviceIDs that share their first `bits` bits. The rest of `base` is zero. Immutable. */
export class ServicePrefix {
  /** Matches every serviceID: the prefix of the default rule. */
  static readonly any = new ServicePrefix(ServiceID.zero, 0);

  private constructor(
    readonly base: ServiceID,
    readonly bits: number,
  ) {}

  /** `bits` is 0 to 256 (RangeError); bits of `base` beyond them are cleared. */
  static of(base: ServiceID, bits: number = SERVICE_ID_BITS): ServicePrefix {
    if (!Number.isInteger(bits) || bits < 0 || bits > SERVICE_ID_BITS) {
      throw new RangeError(`prefix bits must be an integer from 0 to ${SERVICE_ID_BITS}, not ${bits}`);
    }
    if (bits === SERVICE_ID_BITS) return new ServicePrefix(base, bits);
    const words = Uint32Array.from(base.words);
    for (let index = 0; index < 8; index++) words[index] = words[index]! & maskOfWord(bits - index * 32);
    return new ServicePrefix(ServiceID.fromWords(words), bits);
  }

  contains(id: ServiceID): boolean {
    for (let index = 0; index * 32 < this.bits; index++) {
      if (((id.words[index]! ^ this.base.words[index]!) & maskOfWord(this.bits - index * 32)) !== 0) return false;
    }
    return true;
  }

  containsPrefix(other: ServicePrefix): boolean {
    return other.bits >= this.bits && this.contains(other.base);
  }

  equals(other: ServicePrefix): boolean {
    return this.bits === other.bits && this.base.equals(other.base);
  }

  toJSON(): string {
    return this.toString();
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `ServicePrefix(${this})`;
  }

  /** `HEX/bits`. */
  toString(): string {
    return `${this.base}/${this.bits}`;
  }
}

/** The mask of a 32-bit word of which `bits` leading bits count; below 0 none, above 32 all. */
function maskOfWord(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
}
