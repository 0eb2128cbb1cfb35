// Reads one SAL packet after the other, and knows again what it has read before: the datagrams of a sender to a
// service have the same header, byte for byte, and what was found right in it once is right. `parseSalPacket`
// stays the door; a header is let in here only when it came through there.

import { HEADERS_KEPT } from '../limits';
import { SAL_HEADER_BYTES } from './sal-header';
import { parseSalPacket, type SalPacket } from './sal-packet';
import { isWireError, type WireError } from './wire-error';

interface KnownHeader {
  /** The header's 32-bit words, as `DataView` gives them. */
  readonly words: Int32Array;
  readonly packet: { -readonly [Key in keyof SalPacket]: SalPacket[Key] };
}

export class SalPacketReader {
  private readonly known: (KnownHeader | undefined)[] = new Array(HEADERS_KEPT).fill(undefined);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private bytes: Uint8Array = new Uint8Array(0);

  /** As `parseSalPacket`, but a packet without CONTROL extension is valid only until the next call. */
  read(bytes: Uint8Array, offset: number, length: number): SalPacket | WireError {
    const view = this.viewOf(bytes);
    if (length < SAL_HEADER_BYTES || offset < 0 || offset + length > view.byteLength) return 'truncated';
    const place = view.getUint8(offset + LAST_BYTE) & (HEADERS_KEPT - 1);
    const known = this.known[place];
    if (known !== undefined && isHeader(known.words, view, offset, length)) {
      known.packet.transportOffset = offset + known.packet.headerLength;
      known.packet.transportLength = length - known.packet.headerLength;
      return known.packet;
    }
    const packet = parseSalPacket(bytes, offset, length);
    if (!isWireError(packet) && packet.control === undefined) this.keep(place, packet, offset);
    return packet;
  }

  private keep(place: number, packet: SalPacket, offset: number): void {
    const { view } = this;
    const words = new Int32Array(packet.headerLength / 4);
    for (let index = 0; index < words.length; index++) words[index] = view.getInt32(offset + index * 4);
    this.known[place] = { words, packet };
  }

  /** A link's slab is the same for many packets. */
  private viewOf(bytes: Uint8Array): DataView {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return this.view;
  }
}

/** The header's own length is among its words, so one of another length differs. */
function isHeader(words: Int32Array, view: DataView, offset: number, length: number): boolean {
  if (words.length * 4 > length) return false;
  for (let index = 0; index < words.length; index++) {
    if (words[index] !== view.getInt32(offset + index * 4)) return false;
  }
  return true;
}

/** Of the base header: half of its checksum, which differs for headers that differ. */
const LAST_BYTE = SAL_HEADER_BYTES - 1;
