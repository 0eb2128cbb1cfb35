// The header of a first packet, read where it stands: a router needs to know it, and passes it on as it is. It knows
// what we write ourselves - CONTROL or nothing, one SERVICE or two, ENDPOINT_SOURCE or nothing, in this order, reserved
// bits 0 - and nothing else. What it does not know, or is not valid, is for `parseSalPacket` to read or to refuse.

import { SOURCE_ADDRESSES_MAXIMUM } from '../limits';
import { ADDRESS_INTS } from './address-words';
import { CONTROL_EXTENSION_BYTES, CONTROL_EXTENSION_TYPE, ControlFlag } from './control-extension';
import { ENDPOINT_SOURCE_EXTENSION_TYPE, ENDPOINT_SOURCE_STOP, EndpointSourceFlag } from './endpoint-source-extension';
import { SAL_HEADER_BYTES } from './sal-header';
import { SERVICE_EXTENSION_BYTES, SERVICE_EXTENSION_TYPE } from './service-extension';
import { SERVICE_ID_BYTES, ServiceID } from './service-id';

export class FirstPacketHeader {
  /** Bytes of header and extensions. */
  length = 0;
  protocol: 6 | 17 = 6;
  isSyn = false;
  /** Of the CONTROL extension of a SYN. */
  detail = 0;
  nonceHigh = 0;
  nonceLow = 0;
  /** The destination. It is another one with the next packet: whoever keeps it copies it. */
  readonly service = ServiceID.fromWords(new Uint32Array(8));
  /** Where ENDPOINT_SOURCE begins, from the packet's start on; it is the last extension. 0: there is none. */
  sourceAt = 0;
  /** Addresses in it. */
  sourceCount = 0;
  private readonly words = this.service.words;

  /** Whether the packet in `length` bytes from `offset` on is such a one. */
  read(view: DataView, offset: number, length: number): boolean {
    if (length < LENGTH_MINIMUM) return false;
    const lengthAndProtocol = view.getUint16(offset + 8);
    this.length = (lengthAndProtocol >>> 8) * 4;
    const protocol = lengthAndProtocol & 0xff;
    if (this.length > length || this.length < LENGTH_MINIMUM || (protocol !== 6 && protocol !== 17)) return false;
    this.protocol = protocol;
    const services = this.readControl(view, offset);
    return services > 0 && this.readServices(view, offset, services) && hasRightSum(view, offset, this.length);
  }

  /** Whether the source list, which is there, begins with an address that stands for the sender. */
  isClientUnspecified(view: DataView, offset: number): boolean {
    const entry = offset + this.sourceAt + LIST;
    const isLong = view.getUint8(entry) === 6;
    let words = view.getInt32(entry + 4);
    if (isLong) words |= view.getInt32(entry + 8) | view.getInt32(entry + 12) | view.getInt32(entry + 16);
    return words === 0;
  }

  /** Writes the first address of the source list into a row. */
  readClient(view: DataView, offset: number, rows: Int32Array): void {
    const entry = offset + this.sourceAt + LIST;
    const isLong = view.getUint8(entry) === 6;
    rows[0] = (view.getUint8(entry) << 16) | view.getUint16(entry + 2);
    for (let word = 0; word < ADDRESS_INTS - 1; word++) {
      rows[word + 1] = word === 0 || isLong ? view.getInt32(entry + 4 + word * 4) : 0;
    }
  }

  /** Where the first SERVICE is expected; 0 when what stands before it is not known here. */
  private readControl(view: DataView, offset: number): number {
    this.isSyn = view.getUint16(offset + SAL_HEADER_BYTES) === CONTROL_HEAD;
    // A datagram without a flow is for none.
    this.detail = 0;
    if (!this.isSyn) return view.getInt32(offset + 4) === 0 ? SAL_HEADER_BYTES : 0;
    const at = offset + SAL_HEADER_BYTES;
    const flags = view.getUint8(at + 2);
    if ((flags & (ControlFlag.syn | ControlFlag.ack)) !== ControlFlag.syn || (flags & RESERVED_FLAGS) !== 0) return 0;
    this.detail = view.getUint8(at + 3);
    this.nonceHigh = view.getUint32(at + 12);
    this.nonceLow = view.getUint32(at + 16);
    return SAL_HEADER_BYTES + CONTROL_EXTENSION_BYTES;
  }

  private readServices(view: DataView, offset: number, at: number): boolean {
    let end = at;
    if (end + SERVICE_EXTENSION_BYTES > this.length || view.getInt32(offset + end) !== SERVICE_HEAD) return false;
    for (let word = 0; word < SERVICE_ID_BYTES / 4; word++)
      this.words[word] = view.getUint32(offset + end + 4 + word * 4);
    end += SERVICE_EXTENSION_BYTES;
    if (!this.isSyn) {
      if (end + SERVICE_EXTENSION_BYTES > this.length || view.getInt32(offset + end) !== SERVICE_HEAD) return false;
      end += SERVICE_EXTENSION_BYTES;
    }
    this.sourceAt = 0;
    this.sourceCount = 0;
    return end === this.length || this.readSource(view, offset, end);
  }

  /** It fills the rest of the header. */
  private readSource(view: DataView, offset: number, at: number): boolean {
    const length = this.length - at;
    if (length < LIST || view.getUint8(offset + at) !== SOURCE_HEAD || view.getUint8(offset + at + 1) !== length)
      return false;
    // Who has answers relayed, and what is to stop somewhere, is looked at more closely.
    if ((view.getUint8(offset + at + 2) & LOOKED_AT) !== 0) return false;
    const end = offset + this.length;
    let entry = offset + at + LIST;
    let count = 0;
    for (; entry < end; count++) {
      const family = view.getUint16(entry);
      if (family !== FAMILY_4 && family !== FAMILY_6) return false;
      entry += family === FAMILY_4 ? 8 : 20;
    }
    this.sourceAt = at;
    this.sourceCount = count;
    return entry === end && count > 0 && count <= SOURCE_ADDRESSES_MAXIMUM;
  }
}

/** The Internet checksum over the header is right: read as 32-bit words, which fold to the same (RFC 1071 2). */
function hasRightSum(view: DataView, offset: number, length: number): boolean {
  let sum = 0;
  for (let at = offset; at < offset + length; at += 4) {
    const word = view.getInt32(at);
    sum += (word >>> 16) + (word & 0xffff);
  }
  sum = (sum >>> 16) + (sum & 0xffff);
  return (((sum >>> 16) + (sum & 0xffff)) & 0xffff) === 0xffff;
}

const LENGTH_MINIMUM = SAL_HEADER_BYTES + SERVICE_EXTENSION_BYTES;
const CONTROL_HEAD = (CONTROL_EXTENSION_TYPE << 12) | CONTROL_EXTENSION_BYTES;
const SERVICE_HEAD = (SERVICE_EXTENSION_TYPE << 28) | (SERVICE_EXTENSION_BYTES << 16);
const SOURCE_HEAD = ENDPOINT_SOURCE_EXTENSION_TYPE << 4;
const LOOKED_AT = EndpointSourceFlag.relay | ENDPOINT_SOURCE_STOP;
/** Where its entries begin. */
const LIST = 4;
/** With the reserved byte behind it. */
const FAMILY_4 = 4 << 8;
const FAMILY_6 = 6 << 8;
const RESERVED_FLAGS = 0x03;
