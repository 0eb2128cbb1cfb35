// A stream socket's view of its connection: verbs go to the stack with the driver's clock, what happened goes
// to the observer.

import type { ServalError, ServalErrorContext } from '../errors';
import type { Flow } from '../sal/flow';
import type { MigrationTarget } from '../sal/local-interfaces';
import type { Path } from '../sal/path';
import type { Connection } from '../stack/connection';
import { ConnectionSignal } from '../stack/connection-signal';
import type { HandedOver } from '../stack/handoff';
import { milliseconds } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import type { ServiceID } from '../wire/service-id';
import { flowError, migrationError, openingError } from './failures';
import { FlowHandle } from './flow-handle';
import { FlowOpenings, type OpeningOutcome } from './flow-openings';
import {
  type FlowInformation,
  type FlowTarget,
  SILENT_OBSERVER,
  type StreamHandle,
  type StreamObserver,
} from './handles';
import type { StackDriver } from './stack-driver';

export class StreamHandleOverStack implements StreamHandle {
  private observer: StreamObserver = SILENT_OBSERVER;
  private isReading = false;
  private isEndSeen = false;
  private isEndTold = false;
  private isCloseSeen = false;
  private isCloseTold = false;
  /** The application reads no more, so nothing it has not read holds up the end. */
  private isLetGo = false;
  /** Where the peer was: it stays known after the end. */
  private lastPath: Path | undefined;
  private wasConnected = false;
  private isReferenced = true;
  private openings: FlowOpenings | undefined;

  constructor(
    private readonly driver: StackDriver,
    private readonly connection: Connection,
  ) {
    connection.handle = this;
    driver.references.add();
  }

  get localServiceID(): ServiceID | undefined {
    return this.connection.localServiceID;
  }

  get remoteServiceID(): ServiceID | undefined {
    return this.connection.remoteServiceID;
  }

  get localAddress(): NetworkAddress | undefined {
    return this.connection.flows[0]?.path?.local ?? this.lastPath?.local;
  }

  get remoteAddress(): NetworkAddress | undefined {
    return this.connection.flows[0]?.path?.remote ?? this.lastPath?.remote;
  }

  get flows(): readonly FlowInformation[] {
    return this.connection.flows.flatMap((flow) => this.describe(flow) ?? []);
  }

  get bytesSent(): number {
    return this.connection.transport.statistics.bytesAcknowledged;
  }

  get bytesReceived(): number {
    return this.connection.transport.statistics.bytesReceived;
  }

  get bytesBuffered(): number {
    return this.connection.transport.bufferedBytes;
  }

  write(bytes: Uint8Array, offset = 0): number {
    const count = this.connection.write(bytes, offset, this.driver.now());
    this.driver.requestDrain();
    return count;
  }

  shutdown(): void {
    this.connection.shutdown(this.driver.now());
    this.driver.requestDrain();
  }

  startReading(): void {
    if (this.isReading) return;
    this.isReading = true;
    // Not from inside the caller's stack frame: the driver's next drain delivers.
    this.connection.announceReadable();
    this.driver.requestDrain();
  }

  stopReading(): void {
    this.isReading = false;
  }

  reset(): void {
    this.letGo();
    this.connection.abandon();
    this.connection.reset(this.driver.now());
    this.driver.requestDrain();
  }

  ref(): void {
    if (this.isReferenced || this.isCloseTold) return;
    this.isReferenced = true;
    this.driver.references.add();
  }

  unref(): void {
    if (!this.isReferenced) return;
    this.isReferenced = false;
    this.driver.references.remove();
  }

  close(): void {
    this.letGo();
    this.connection.close(this.driver.now());
    this.driver.requestDrain();
  }

  setNoDelay(noDelay: boolean): void {
    this.connection.setNoDelay(noDelay);
    this.driver.requestDrain();
  }

  setKeepAlive(enabled: boolean, delay: number): void {
    this.connection.setKeepAlive(enabled, milliseconds(delay), this.driver.now());
    this.driver.requestDrain();
  }

  setUserTimeout(timeout: number): void {
    this.connection.transport.setUserTimeout(milliseconds(timeout));
  }

  handOver(): HandedOver | undefined {
    const state = this.connection.handOver(this.driver.now());
    if (state !== undefined) this.letGo();
    this.driver.requestDrain();
    return state;
  }

  migrate(target: MigrationTarget): ServalError | 'settled' | undefined {
    const answer = this.connection.migrate(target, this.driver.now());
    this.driver.requestDrain();
    return answer === undefined || answer === 'settled' ? answer : migrationError(answer, this.context());
  }

  openFlow(target: FlowTarget, outcome: OpeningOutcome): ServalError | undefined {
    const opening = this.connection.openFlow(target, this.driver.now());
    this.driver.requestDrain();
    if (typeof opening === 'string') return openingError(opening, this.context());
    this.openings ??= new FlowOpenings();
    this.openings.add(opening, outcome);
    return undefined;
  }

  setObserver(observer: StreamObserver): void {
    this.observer = observer;
  }

  /** Tells the observer what happened since the last call. */
  dispatch(): void {
    const said = this.connection.takeSignals();
    if ((said & ConnectionSignal.connected) !== 0) {
      this.wasConnected = true;
      this.lastPath = this.connection.flows[0]?.path;
      this.observer.connected();
    }
    if ((said & ConnectionSignal.ended) !== 0) this.isEndSeen = true;
    this.deliver();
    if ((said & ConnectionSignal.migrated) !== 0) {
      this.lastPath = this.connection.flows[0]?.path ?? this.lastPath;
      this.observer.migrated?.();
    }
    // Not by a move of the peer's that ends while ours is under way.
    if ((said & ConnectionSignal.settled) !== 0 && !this.connection.isMoving) this.observer.settled?.();
    if ((said & ConnectionSignal.migrationFailed) !== 0) {
      this.observer.migrationFailed?.(migrationError('unanswered', this.context()));
    }
    if ((said & ConnectionSignal.flowsChanged) !== 0) this.tellFlows();
    if ((said & ConnectionSignal.writable) !== 0) this.observer.writable();
    if ((said & ConnectionSignal.finished) !== 0) this.observer.finished();
    if ((said & ConnectionSignal.failed) !== 0) {
      this.observer.failed(this.error());
      this.connection.transport.release();
      this.isLetGo = true;
    }
    if ((said & ConnectionSignal.closed) !== 0) {
      this.isCloseSeen = true;
      this.openings?.settle(true, this.context());
    }
    this.finish();
  }

  private tellFlows(): void {
    this.openings?.settle(false, this.context());
    this.observer.flowsChanged?.();
  }

  /** The last call comes behind the last byte, however late the application reads it. */
  private finish(): void {
    const isUnread = this.isEndSeen && !this.isEndTold && !this.isLetGo;
    if (!this.isCloseSeen || this.isCloseTold || isUnread) return;
    this.isCloseTold = true;
    this.unref();
    this.observer.closed();
  }

  /** What waits for the reader waits no longer: the driver looks again. */
  private letGo(): void {
    this.isLetGo = true;
    this.openings?.settle(true, this.context());
    if (this.isCloseSeen && !this.isCloseTold) this.connection.announceReadable();
  }

  private deliver(): void {
    const { transport } = this.connection;
    while (this.isReading && transport.readableBytes > 0) {
      this.observer.data(this.connection.read(this.driver.now())!);
    }
    if (!this.isEndSeen || this.isEndTold || transport.readableBytes > 0) return;
    this.isEndTold = true;
    this.observer.ended();
  }

  private error(): ServalError {
    return flowError(this.connection.failure!, this.context());
  }

  private context(): ServalErrorContext {
    const remote = this.remoteAddress;
    const service = this.connection.remoteServiceID ?? this.connection.localServiceID;
    return {
      syscall: this.wasConnected ? 'read' : 'connect',
      ...(service === undefined ? {} : { serviceID: service.toString() }),
      ...(remote === undefined ? {} : { address: remote.ip, port: remote.port }),
    };
  }

  private describe(flow: Flow | undefined): FlowInformation | undefined {
    if (flow?.path === undefined) return undefined;
    const subflow = this.connection.subflowOf(flow, this.driver.now());
    const fields = {
      localFlowID: flow.localFlowID,
      remoteFlowID: flow.remoteFlowID,
      localAddress: flow.path.local,
      remoteAddress: flow.path.remote,
      state: flow.state,
      roundTripTime: subflow?.roundTripTime ?? flow.control.measuredRoundTripTime,
      congestionWindow: subflow?.congestionWindow ?? 0,
      segmentSize: subflow?.segmentSize ?? 0,
      retransmittedBytes: subflow?.retransmittedBytes ?? 0,
      backup: this.connection.isReserve(flow),
    };
    const { connection, driver } = this;
    return new FlowHandle(fields, {
      setBackup: (isBackup) => this.drained(connection.setBackup(flow, isBackup, driver.now())),
      close: () => this.drained(connection.closeFlow(flow, driver.now())),
    });
  }

  private drained(isDone: boolean): boolean {
    this.driver.requestDrain();
    return isDone;
  }
}
