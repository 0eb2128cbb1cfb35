// A DNS server with one name (RFC 1035): it answers each question of type A with the addresses that there are, in
// turns, and with their time to live. Clients ask it with the resolver that Node brings.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export const DNS_PORT = 53;

export class DnsServer {
  private readonly socket: Socket = createSocket('udp4');
  private addresses: readonly string[] = [];
  private turn = 0;

  /** `timeToLive` in seconds. */
  constructor(private readonly timeToLive: number) {
    this.socket.on('message', (question, { port, address }) => {
      const answer = this.answerTo(question);
      if (answer !== undefined) this.socket.send(answer, port, address);
    });
  }

  async listen(address: string, port = DNS_PORT): Promise<void> {
    this.socket.bind(port, address);
    await once(this.socket, 'listening');
  }

  get port(): number {
    return this.socket.address().port;
  }

  close(): void {
    this.socket.close();
  }

  setAddresses(addresses: readonly string[]): void {
    this.addresses = addresses;
  }

  private answerTo(message: Buffer): Buffer | undefined {
    const end = endOfQuestion(message);
    if (end === undefined) return undefined;
    const isAddress = message.readUInt16BE(end - 4) === TYPE_A;
    const given = isAddress ? this.turned() : [];
    const header = Buffer.from(message.subarray(0, HEADER_BYTES));
    header.writeUInt16BE(RESPONSE_AUTHORITATIVE, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(given.length, 6);
    header.writeUInt32BE(0, 8);
    return Buffer.concat([header, message.subarray(HEADER_BYTES, end), ...given.map((each) => this.record(each))]);
  }

  private turned(): readonly string[] {
    const first = this.turn++ % Math.max(1, this.addresses.length);
    return [...this.addresses.slice(first), ...this.addresses.slice(0, first)];
  }

  /** Its name is that of the question, by a pointer. */
  private record(address: string): Buffer {
    const record = Buffer.alloc(16);
    record.writeUInt16BE(POINTER | HEADER_BYTES, 0);
    record.writeUInt16BE(TYPE_A, 2);
    record.writeUInt16BE(CLASS_IN, 4);
    record.writeUInt32BE(this.timeToLive, 6);
    record.writeUInt16BE(4, 10);
    for (const [index, part] of address.split('.').entries()) record[12 + index] = Number(part);
    return record;
  }
}

/** Where the first question ends; `undefined` for what is none. */
function endOfQuestion(message: Buffer): number | undefined {
  let at = HEADER_BYTES;
  while (at < message.length && message[at] !== 0) at += message[at]! + 1;
  const end = at + 5;
  return end <= message.length && message.readUInt16BE(4) >= 1 ? end : undefined;
}

const HEADER_BYTES = 12;
const TYPE_A = 1;
const CLASS_IN = 1;
const POINTER = 0xc000;
const RESPONSE_AUTHORITATIVE = 0x8400;
