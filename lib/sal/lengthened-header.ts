// The header with which a first packet leaves a router: the one it came with, and in its source list the address that
// the router was addressed by; the client's, too, where it is the first router. What both add to packets between the
// same addresses is the same, and kept.

import { SAL_HEADER_MAXIMUM, SOURCE_ADDRESSES_MAXIMUM } from '../limits';
import { ADDRESS_INTS } from '../wire/address-words';
import { ENDPOINT_SOURCE_EXTENSION_TYPE, ENDPOINT_SOURCE_LENGTH_MAXIMUM } from '../wire/endpoint-source-extension';
import type { FirstPacketHeader } from '../wire/first-packet-header';
import { NetworkAddress } from '../wire/network-address';

export class LengthenedHeader {
  /** Bytes. */
  length = 0;
  private readonly first = new Addition();
  private readonly further = new Addition();
  private addition = this.first;
  private header: FirstPacketHeader | undefined;

  /** False where the packet must not go on: it was here before, or its list is full. */
  plan(
    header: FirstPacketHeader,
    view: DataView,
    offset: number,
    from: NetworkAddress,
    local: NetworkAddress,
  ): boolean {
    this.header = header;
    const isFirst = header.sourceAt === 0;
    this.addition = isFirst ? this.first : this.further;
    this.addition.set(isFirst ? from : undefined, local);
    this.length = header.length + this.addition.bytes;
    if (this.length > SAL_HEADER_MAXIMUM) return false;
    if (isFirst) return local.isUnspecified || !from.equals(local);
    if (header.sourceCount >= SOURCE_ADDRESSES_MAXIMUM) return false;
    if (this.length - header.sourceAt > ENDPOINT_SOURCE_LENGTH_MAXIMUM) return false;
    return local.isUnspecified || !isInList(header, view, offset, this.addition);
  }

  /** Writes what was planned. */
  write(target: DataView, at: number, view: DataView, offset: number): void {
    const { length, addition } = this;
    const header = this.header!;
    for (let word = 0; word < header.length; word += 4) target.setInt32(at + word, view.getInt32(offset + word));
    // The check is the complement of the sum of all else: what is new is added to that, what is gone subtracted.
    let sum = (~view.getUint16(offset + CHECK) & 0xffff) + addition.sum;
    sum += replace(target, at + LENGTH_AND_PROTOCOL, ((length / 4) << 8) | header.protocol);
    if (header.sourceAt > 0) {
      const head = at + header.sourceAt;
      sum += replace(target, head, (ENDPOINT_SOURCE_EXTENSION_TYPE << 12) | (length - header.sourceAt));
    }
    addition.write(target, at + header.length);
    sum = (sum >>> 16) + (sum & 0xffff);
    target.setUint16(at + CHECK, ~((sum >>> 16) + (sum & 0xffff)) & 0xffff);
  }
}

/** What is put behind the header: the last entry of a list, or a list of two. */
class Addition {
  bytes = 0;
  /** Of its 16-bit words. */
  sum = 0;
  private readonly words = new Int32Array(1 + 2 * ADDRESS_INTS);
  private count = 0;
  /** Where its last entry begins, in words. */
  private lastAt = 0;
  private from: NetworkAddress | undefined = NetworkAddress.fromWords(4, 0, 0, 0, 0, 0);
  private local: NetworkAddress = this.from!;

  set(from: NetworkAddress | undefined, local: NetworkAddress): void {
    if (from === this.from && local === this.local) return;
    this.from = from;
    this.local = local;
    this.count = 0;
    if (from !== undefined) {
      this.count = 1;
      this.add(from);
    }
    this.lastAt = this.count;
    this.add(local);
    this.bytes = this.count * 4;
    if (from !== undefined) this.words[0] = (ENDPOINT_SOURCE_EXTENSION_TYPE << 28) | (this.bytes << 16);
    this.sum = 0;
    for (let index = 0; index < this.count; index++) {
      this.sum += (this.words[index]! >>> 16) + (this.words[index]! & 0xffff);
    }
  }

  write(target: DataView, at: number): void {
    for (let index = 0; index < this.count; index++) target.setInt32(at + index * 4, this.words[index]!);
  }

  /** Whether the entry at `at` is the last one of this. */
  isLastAt(view: DataView, at: number): boolean {
    for (let index = this.lastAt; index < this.count; index++) {
      if (view.getInt32(at + (index - this.lastAt) * 4) !== this.words[index]) return false;
    }
    return true;
  }

  private add({ family, port, word0, word1, word2, word3 }: NetworkAddress): void {
    const { words } = this;
    words[this.count++] = (family << 24) | port;
    words[this.count++] = word0;
    if (family === 4) return;
    words[this.count++] = word1;
    words[this.count++] = word2;
    words[this.count++] = word3;
  }
}

function isInList(
  { sourceAt, sourceCount }: FirstPacketHeader,
  view: DataView,
  offset: number,
  own: Addition,
): boolean {
  let entry = offset + sourceAt + LIST;
  for (let index = 0; index < sourceCount; index++) {
    const bytes = view.getUint8(entry) === 4 ? 8 : 20;
    // One of the other family differs in its first word, so nothing beyond it is read.
    if (own.isLastAt(view, entry)) return true;
    entry += bytes;
  }
  return false;
}

/** Writes 16 bits; gives what that changes of a sum. */
function replace(target: DataView, at: number, value: number): number {
  const before = target.getUint16(at);
  target.setUint16(at, value);
  return value + (~before & 0xffff);
}

const LENGTH_AND_PROTOCOL = 8;
const CHECK = 10;
const LIST = 4;
