// A datagram socket's view of its endpoint.

import type { ServalError, ServalErrorContext } from '../errors';
import { LOOPBACK_LINK } from '../sal/links';
import type { MigrationTarget } from '../sal/local-interfaces';
import type { MigrationRefusal } from '../stack/control-interface';
import { type DatagramEndpoint, DatagramSignal } from '../stack/datagram-endpoint';
import type { SendRefusal } from '../stack/unconnected-sender';
import { type Instant, milliseconds } from '../time/instant';
import { flowID } from '../wire/flow-id';
import type { NetworkAddress } from '../wire/network-address';
import { ServiceID, type ServicePrefix } from '../wire/service-id';
import { flowError, migrationError, sendError } from './failures';
import type { ConnectOptions, DatagramHandle, DatagramObserver, DatagramSource } from './handles';
import { Reference } from './reference';
import type { StackDriver } from './stack-driver';

export class DatagramHandleOverStack implements DatagramHandle {
  /** Set by the host, where it shares a machine with others. */
  registered: Promise<void> | undefined;
  private isClosed = false;
  private isCloseTold = false;
  private target: ServiceID | undefined;

  private readonly reference: Reference;
  private readonly tell: (message: Buffer, from: DatagramSource) => void;

  constructor(
    private readonly driver: StackDriver,
    private readonly endpoint: DatagramEndpoint,
    private readonly observer: DatagramObserver,
  ) {
    endpoint.handle = this;
    this.tell = (message, from) => observer.message(message, from);
    this.reference = new Reference(driver.references);
  }

  get prefix(): ServicePrefix {
    return this.endpoint.prefix;
  }

  get localServiceID(): ServiceID {
    return this.endpoint.serviceID;
  }

  get localAddress(): NetworkAddress | undefined {
    return this.endpoint.connectedFlow?.path?.local;
  }

  get remoteServiceID(): ServiceID | undefined {
    return this.endpoint.connectedFlow?.service;
  }

  get remoteAddress(): NetworkAddress | undefined {
    return this.endpoint.connectedFlow?.path?.remote;
  }

  get peers(): number {
    return this.endpoint.peers;
  }

  setWeight(weight: number): void {
    if (this.isClosed) return;
    this.driver.stack.setWeight(this.endpoint, weight, this.driver.now());
    this.driver.requestDrain();
  }

  send(bytes: Uint8Array, target: ServiceID | DatagramSource | undefined): ServalError | undefined {
    const now = this.driver.now();
    let refusal = this.sendOnce(bytes, target, now);
    if (refusal === 'noRoom') {
      this.driver.transmitNow();
      refusal = this.sendOnce(bytes, target, now);
    }
    this.driver.requestDrain(now);
    if (refusal === undefined) return undefined;
    const service = target instanceof ServiceID ? target : (target?.serviceID ?? this.remoteServiceID);
    return sendError(refusal, contextOf('send', service));
  }

  connect(target: ServiceID, options: ConnectOptions): void {
    this.target = target;
    const timeout = options.timeout === undefined ? undefined : milliseconds(options.timeout);
    this.driver.stack.connectDatagram(this.endpoint, target, timeout, this.driver.now());
    this.driver.requestDrain();
  }

  disconnect(): void {
    this.endpoint.disconnect(this.driver.now());
    this.driver.requestDrain();
  }

  migrate(target: MigrationTarget): ServalError | 'settled' | undefined {
    const answer = this.endpoint.migrate(target, this.driver.now());
    this.driver.requestDrain();
    return answer === undefined || answer === 'settled' ? answer : this.migrationError(answer);
  }

  ref(): void {
    this.reference.ref();
  }

  unref(): void {
    this.reference.unref();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.driver.stack.closeDatagram(this.endpoint, this.driver.now());
    this.driver.requestDrain();
  }

  /** Tells the observer what happened since the last call. */
  dispatch(): void {
    if (this.isCloseTold) return;
    const said = this.endpoint.takeSignals();
    if ((said & DatagramSignal.connected) !== 0) this.observer.connected();
    while (this.endpoint.read(this.tell));
    if ((said & DatagramSignal.migrated) !== 0) this.observer.migrated?.();
    if ((said & DatagramSignal.settled) !== 0 && !this.endpoint.isMoving) this.observer.settled?.();
    if ((said & DatagramSignal.migrationFailed) !== 0) {
      this.observer.migrationFailed?.(this.migrationError('unanswered'));
    }
    if ((said & DatagramSignal.failed) !== 0) {
      this.observer.failed(flowError(this.endpoint.failure ?? 'reset', contextOf('connect', this.target)));
    }
    if (!this.isClosed) return;
    this.isCloseTold = true;
    this.reference.end();
    this.observer.closed();
  }

  private migrationError(refusal: MigrationRefusal | 'unanswered'): ServalError {
    return migrationError(refusal, contextOf('migrate', this.remoteServiceID));
  }

  private sendOnce(
    bytes: Uint8Array,
    target: ServiceID | DatagramSource | undefined,
    now: Instant,
  ): SendRefusal | undefined {
    if (target === undefined) return this.endpoint.sendConnected(bytes, undefined);
    if (target instanceof ServiceID) return this.endpoint.sendTo(target, bytes, now);
    const { serviceID, address, link = LOOPBACK_LINK } = target;
    const flow = target.flowID === undefined ? undefined : flowID(target.flowID);
    return this.endpoint.answer({ serviceID, address, link, flowID: flow }, bytes);
  }
}

function contextOf(syscall: string, service: ServiceID | undefined): ServalErrorContext {
  return service === undefined ? { syscall } : { syscall, serviceID: service.toString() };
}
