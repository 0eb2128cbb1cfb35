// What the two native links share: a native pair of sockets, the slabs that its bursts go into, and the way
// of its news to a handler. Who it is towards the stack, and on which port, the links themselves know.

import { getSystemErrorName } from 'node:util';
import { ErrorCode, ServalError } from '../errors';
import { TRANSMIT_QUEUE_MAXIMUM } from '../limits';
import { bindingMissingReason, loadBinding } from '../native/binding';
import type { NativeFailure, NativeSocketLink, NativeSocketLinkOptions } from '../native/native-binding';
import { ADDRESS_INTS, writeAddressWords } from '../wire/address-words';
import { NetworkAddress } from '../wire/network-address';
import { ReceivedBatch } from '../wire/received-batch';
import type { TransmitBatch } from '../wire/transmit-batch';
import type { LinkHandler } from './link';
import { linkError } from './link-error';
import { MtuCache } from './mtu-cache';

export interface NativeLinkRequest extends NativeSocketLinkOptions {
  /** For messages: "bind UDP port 54325". */
  readonly purpose: string;
}

export class NativeLink {
  private native: NativeSocketLink | undefined;
  private handler: LinkHandler | undefined;
  private readonly batch = new ReceivedBatch(BURST_ROWS, Buffer.allocUnsafeSlow(SLAB_BYTES));
  private isReferenced = true;
  private closing: Promise<void> | undefined;
  private whenClosed: (() => void) | undefined;
  private lastStatistics: Record<string, number> = {};
  private readonly mtus = new MtuCache(mtuTowards, () => performance.now());

  get port(): number {
    return this.native?.port() ?? 0;
  }

  /** Bytes of receive buffer that the kernel granted. */
  get receiveBuffer(): number {
    return this.native?.receiveBuffer() ?? 0;
  }

  get statistics(): Readonly<Record<string, number>> {
    return this.native?.statistics() ?? this.lastStatistics;
  }

  /** Throws a `ServalError`; after it nothing is open. */
  start(handler: LinkHandler, { purpose, ...options }: NativeLinkRequest): void {
    const binding = loadBinding();
    if (binding === undefined) {
      throw new ServalError(ErrorCode.nativeUnavailable, `cannot ${purpose}: no addon, ${bindingMissingReason()}`);
    }
    if (this.closing !== undefined) throw new ServalError(ErrorCode.hostClosed, `cannot ${purpose}: it was closed`);
    const native = new binding.SocketLink(
      { heldMaximum: TRANSMIT_QUEUE_MAXIMUM, burstBytes: BURST_BYTES, ...options },
      this.batch.rows,
      this.batch.slab,
      {
        received: (rows) => this.handleReceived(native, rows),
        // Also when it was closed in between: who was told of a burst waits for this.
        settled: () => handler.settled?.(),
        writable: () => this.handler?.writable(),
        unreachable: (familyPort, w0, w1, w2, w3) => this.handler?.unreachable(address(familyPort, w0, w1, w2, w3)),
        packetTooBig: (familyPort, w0, w1, w2, w3, mtu) => {
          this.mtus.clear();
          this.handler?.packetTooBig(address(familyPort, w0, w1, w2, w3), mtu);
        },
        closed: () => this.handleClosed(),
      },
    );
    const failure = native.open();
    if (failure !== undefined) throw linkError(systemError(failure), purpose, options.port);
    this.native = native;
    this.handler = handler;
    if (!this.isReferenced) native.unref();
  }

  transmit(batch: TransmitBatch): boolean {
    if (this.native === undefined) return true;
    return this.native.transmit(
      batch.rows,
      batch.count,
      batch.headers,
      batch.pieces,
      batch.pieceSpans,
      batch.pieceCount,
    );
  }

  ref(): void {
    this.isReferenced = true;
    this.native?.ref();
  }

  unref(): void {
    this.isReferenced = false;
    this.native?.unref();
  }

  /** Makes the next sends fail; see `NativeSocketLink`. */
  injectSendError(errno: number, times: number, segmentedOnly = false): void {
    this.native?.injectSendError(errno, times, segmentedOnly);
  }

  /** IP MTU of the first hop towards an address; `undefined` when there is no route. */
  mtuTo(destination: NetworkAddress): number | undefined {
    return this.mtus.mtuTo(destination);
  }

  forgetSources(): void {
    this.mtus.clear();
    this.native?.forgetSources();
  }

  close(): Promise<void> {
    this.closing ??= this.closeOnce();
    return this.closing;
  }

  private closeOnce(): Promise<void> {
    const { native } = this;
    this.handler = undefined;
    if (native === undefined) return Promise.resolve();
    this.lastStatistics = native.statistics();
    this.native = undefined;
    return new Promise((resolve) => {
      this.whenClosed = resolve;
      native.close();
    });
  }

  private handleClosed(): void {
    this.whenClosed?.();
  }

  private handleReceived(native: NativeSocketLink, rows: number): void {
    const { batch, handler } = this;
    if (handler === undefined) return;
    batch.count = rows;
    try {
      handler.received(batch);
    } finally {
      const { retainedEnd } = batch;
      batch.reset();
      if (retainedEnd > 0) this.giveUp(native, retainedEnd);
    }
  }

  /** Somebody keeps bytes of the slab: the next burst goes behind them, or into a new slab. */
  private giveUp(native: NativeSocketLink, retainedEnd: number): void {
    const start = (retainedEnd + 63) & ~63;
    if (SLAB_BYTES - start >= SLAB_REST_MINIMUM) {
      native.advance(start);
    } else {
      this.batch.slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      native.setSlab(this.batch.slab);
    }
  }
}

/** IP MTU of the first hop towards `destination`, by the routing table; `undefined` when there is no route. */
function mtuTowards(destination: NetworkAddress): number | undefined {
  const row = new Int32Array(ADDRESS_INTS);
  writeAddressWords(row, 0, destination);
  const mtu = loadBinding()?.pathMtu(row) ?? 0;
  return mtu === 0 ? undefined : mtu;
}

function address(familyPort: number, w0: number, w1: number, w2: number, w3: number): NetworkAddress {
  return NetworkAddress.fromWords(familyPort >>> 16 === 6 ? 6 : 4, familyPort & 0xffff, w0, w1, w2, w3);
}

function systemError({ errno, syscall }: NativeFailure): NodeJS.ErrnoException {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno, syscall });
}

/** Rows of one burst: a super-packet of small packets of many flows has 64. */
const BURST_ROWS = 2048;
/** Bytes of one burst: enough to fill a call into the stack, little enough for the loop to turn often. */
const BURST_BYTES = 1024 * 1024;
/** Bytes of a slab, and what must be left of it for it to be used on: two largest super-packets. */
const SLAB_BYTES = 2 * 1024 * 1024;
const SLAB_REST_MINIMUM = 2 * 65_536;
