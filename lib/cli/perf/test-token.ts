// What shows that streams and datagrams belong to a test: the server's number of it, and bits that only the two
// ends know. Datagrams are compared with it without an allocation.

import { randomBytes, timingSafeEqual } from 'node:crypto';

export const TOKEN_BYTES = 16;

export class TestToken {
  private constructor(readonly bytes: Buffer) {}

  static create(number: number): TestToken {
    const bytes = randomBytes(TOKEN_BYTES);
    bytes.writeUInt32BE(number);
    return new TestToken(bytes);
  }

  static at(bytes: Buffer, offset: number): TestToken {
    return new TestToken(Buffer.from(bytes.subarray(offset, offset + TOKEN_BYTES)));
  }

  static fromHex(text: string): TestToken {
    return new TestToken(Buffer.from(text, 'hex'));
  }

  /** The server's number of the test. */
  get number(): number {
    return this.bytes.readUInt32BE();
  }

  equals(other: TestToken): boolean {
    return timingSafeEqual(this.bytes, other.bytes);
  }

  /** Whether it stands in `bytes` at `offset`; the caller has checked that there is room for it. */
  isAt(bytes: Buffer, offset: number): boolean {
    return this.bytes.compare(bytes, offset, offset + TOKEN_BYTES) === 0;
  }

  toString(): string {
    return this.bytes.toString('hex');
  }
}
