// A datagram handle in memory. Datagrams to nobody are lost, as on a network.

import type { ConnectOptions, DatagramHandle, DatagramObserver } from '../../lib/driver/handles';
import { ErrorCode, ServalError } from '../../lib/errors';
import type { NetworkAddress } from '../../lib/wire/network-address';
import type { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import type { MemoryHost } from './memory-host';

const SIZE_MAXIMUM = 1200;

export class MemoryDatagram implements DatagramHandle {
  remoteServiceID: ServiceID | undefined;
  /** Set by the test. */
  peers = 0;
  readonly weights: number[] = [];
  private isConnected = false;

  constructor(
    private readonly host: MemoryHost,
    readonly prefix: ServicePrefix,
    private readonly observer: DatagramObserver,
    readonly localAddress: NetworkAddress,
  ) {}

  get localServiceID(): ServiceID {
    return this.prefix.base;
  }

  get remoteAddress(): NetworkAddress | undefined {
    return this.isConnected ? this.peer()?.localAddress : undefined;
  }

  setWeight(weight: number): void {
    this.weights.push(weight);
  }

  send(bytes: Uint8Array, target: ServiceID | undefined): ServalError | undefined {
    if (bytes.length > SIZE_MAXIMUM) return new ServalError(ErrorCode.messageTooLarge, 'too large');
    const copy = Buffer.from(bytes);
    const to = target ?? this.remoteServiceID;
    setImmediate(() => to && this.find(to)?.receive(copy, this));
    return undefined;
  }

  connect(target: ServiceID, options: ConnectOptions): void {
    this.remoteServiceID = target;
    if (this.host.silent.has(target.toString())) {
      setTimeout(() => this.observer.failed(new ServalError(ErrorCode.timedOut, 'nobody')), options.timeout ?? 20);
      return;
    }
    setImmediate(() => {
      this.isConnected = this.peer() !== undefined;
      if (this.isConnected) this.observer.connected();
      else this.observer.failed(new ServalError(ErrorCode.connectionRefused, 'no such service'));
    });
  }

  disconnect(): void {
    this.isConnected = false;
    this.remoteServiceID = undefined;
  }

  migrate(): 'settled' {
    return 'settled';
  }

  close(): void {
    this.host.datagrams.delete(this);
    setImmediate(() => this.observer.closed());
  }

  /** The network's doing. */
  fail(error: ServalError): void {
    setImmediate(() => this.observer.failed(error));
  }

  private receive(bytes: Buffer, from: MemoryDatagram): void {
    if (!this.host.datagrams.has(this)) return;
    this.observer.message(bytes, { serviceID: from.localServiceID, address: from.localAddress });
  }

  private peer(): MemoryDatagram | undefined {
    return this.remoteServiceID === undefined ? undefined : this.find(this.remoteServiceID);
  }

  private find(target: ServiceID): MemoryDatagram | undefined {
    for (const other of this.host.datagrams) if (other.prefix.contains(target)) return other;
    return undefined;
  }
}
