// A model of one socket of the original once it has a flow: its control packets, their numbers and its states
// (wire format §5-§8). It is as strict as the original, and repeats no more than the original does.

import type { ScheduledEvent, SimulatedClock } from '../../lib/sim/clock';
import { milliseconds } from '../../lib/time/instant';
import type { ModelStream } from './model-stream';
import { Control, type IpPacket, type PacketView } from './packet-view';
import { udpBytes, writePacket } from './packet-writer';

export type ModelState =
  | 'request'
  | 'connected'
  | 'finWait1'
  | 'finWait2'
  | 'closing'
  | 'timeWait'
  | 'closeWait'
  | 'lastAck'
  | 'closed';

export interface ModelFlow {
  readonly protocol: 6 | 17;
  readonly service: string;
  readonly address: string;
  readonly flowID: number;
  readonly nonce: string;
  readonly initial: number;
}

export interface ModelRemote {
  readonly address: string;
  readonly flowID: number;
  readonly nonce: string;
}

export class ModelSocket {
  state: ModelState = 'request';
  remote: ModelRemote | undefined;
  stream: ModelStream | undefined;
  readonly datagrams: Buffer[] = [];
  /** The application was told the end: by the SAL's FIN, not before (§8). */
  isEnded = false;
  failure: 'refused' | 'reset' | 'timedOut' | undefined;
  /** Called when the application reads the end. */
  onEnded: () => void = () => {};
  /** Bytes or datagrams have come. */
  onReceived: () => void = () => {};
  receiveNext = 0;
  sendNext: number;
  private sendUnacknowledged: number;
  private control: { flags: number; sequence: number; services: string[]; transport: Buffer } | undefined;
  private timer: ScheduledEvent | undefined;
  private transmissions = 0;
  private controlTimeout = RTO_INITIAL;
  private wantsClose = false;

  constructor(
    readonly flow: ModelFlow,
    private readonly clock: SimulatedClock,
    private readonly send: (packet: IpPacket) => void,
    private readonly dropped: (reason: string) => void,
  ) {
    this.sendNext = flow.initial;
    this.sendUnacknowledged = flow.initial;
  }

  // ---- what the application wants ----

  write(bytes: Buffer): void {
    if (this.flow.protocol === 6) this.stream!.write(bytes);
    else this.emit(undefined, [], udpBytes(bytes, true));
  }

  close(): void {
    this.wantsClose = true;
    if (this.flow.protocol === 6) this.stream!.end();
    else this.finish();
  }

  /** The stream's own FIN was acknowledged: only now the SAL's (§8). */
  finish(): void {
    if (!this.wantsClose) return;
    if (this.state === 'connected') this.state = 'finWait1';
    else if (this.state === 'closeWait') this.state = 'lastAck';
    else return;
    this.queueControl(Control.fin, [], Buffer.alloc(0));
  }

  // ---- control packets that use up a number: one at a time, repeated ----

  queueControl(flags: number, services: string[], transport: Buffer, destination?: string): void {
    this.control = { flags, sequence: this.sendNext, services, transport };
    this.sendNext = (this.sendNext + 1) >>> 0;
    this.transmissions = 0;
    this.sendQueued(destination);
  }

  emit(flags: number | undefined, services: readonly string[], transport: Buffer, sequence = this.sendNext): void {
    const { nonce, flowID, protocol, address } = this.flow;
    const control = flags === undefined ? undefined : { flags, sequence, ack: this.receiveNext, nonce };
    const { address: destination, flowID: destinationFlowID } = this.remote!;
    const fields = { source: address, destination, sourceFlowID: flowID, destinationFlowID, protocol };
    this.send(writePacket({ ...fields, control, services, transport }));
  }

  /** A measured round trip makes the timeout 210 ms (§8). */
  measured(): void {
    this.controlTimeout = RTO_MEASURED;
  }

  stop(): void {
    this.state = 'closed';
    this.timer?.cancel();
    this.stream?.stop();
  }

  private sendQueued(destination?: string): void {
    const { flags, sequence, services, transport } = this.control!;
    if (destination !== undefined) this.sendFirst(destination, sequence, services, transport);
    else this.emit(flags, services, transport, sequence);
    const wait = Math.min(this.controlTimeout * 2 ** this.transmissions++, 120_000);
    this.timer?.cancel();
    this.timer = this.clock.scheduleAfter(milliseconds(wait), () => {
      if (this.transmissions > RETRANSMITS) this.fail('timedOut');
      else this.sendQueued(destination);
    });
  }

  /** A SYN: nobody is known yet. */
  private sendFirst(destination: string, sequence: number, services: string[], transport: Buffer): void {
    const { nonce, flowID, protocol, address } = this.flow;
    const control = { flags: Control.syn, sequence, ack: 0, nonce };
    const fields = { source: address, destination, sourceFlowID: flowID, destinationFlowID: 0, protocol };
    this.send(writePacket({ ...fields, control, services, transport }));
  }

  // ---- what comes ----

  handle(view: PacketView): void {
    const { control } = view;
    if (control === undefined) return this.handleData(view);
    const { flags } = control;
    const isNew = (control.sequence - this.receiveNext) | 0;
    const isTaken = isNew >= 0 || flags === Control.ack || flags === (Control.rsyn | Control.ack);
    if (!isTaken) {
      // §5: answered by a pure ACK, and dropped. A repeated FIN gets its acknowledgment that way.
      this.dropped('old verno');
      this.emit(Control.ack, [], Buffer.alloc(0));
      return;
    }
    if ((flags & Control.rst) !== 0) {
      this.fail('reset');
      return;
    }
    if ((flags & Control.fin) !== 0 && control.nonce !== this.remote!.nonce) {
      this.dropped('nonce of a FIN');
      return;
    }
    if ((flags & Control.ack) !== 0) this.acknowledge(control.ack);
    if ((flags & Control.fin) !== 0) this.handleFin(control.sequence, (flags & Control.ack) !== 0);
  }

  acknowledge(ack: number): void {
    if (((ack - this.sendUnacknowledged) | 0) <= 0 || ((this.sendNext - ack) | 0) < 0) return;
    this.sendUnacknowledged = ack;
    this.control = undefined;
    this.timer?.cancel();
    if (this.state === 'finWait1') this.state = 'finWait2';
    else if (this.state === 'closing') this.state = 'timeWait';
    else if (this.state === 'lastAck') this.stop();
  }

  private handleFin(sequence: number, acknowledges: boolean): void {
    this.receiveNext = (sequence + 1) >>> 0;
    if (this.state === 'connected') this.state = 'closeWait';
    else if (this.state === 'finWait1') this.state = acknowledges ? 'timeWait' : 'closing';
    else if (this.state === 'finWait2') this.state = 'timeWait';
    this.emit(Control.ack, [], Buffer.alloc(0));
    if (this.isEnded) return;
    this.isEnded = true;
    this.onEnded();
  }

  private handleData(view: PacketView): void {
    if (view.tcp !== undefined && this.flow.protocol === 6) {
      if (this.stream!.handle(view.tcp)) this.fail('reset');
      else this.onReceived();
    } else if (view.datagram !== undefined && view.datagram.length > 0) {
      this.datagrams.push(view.datagram);
      this.onReceived();
    } else {
      this.dropped('empty datagram');
    }
  }

  fail(failure: 'refused' | 'reset' | 'timedOut'): void {
    this.failure = failure;
    this.stop();
  }
}

const RTO_INITIAL = 3000;
const RTO_MEASURED = 210;
const RETRANSMITS = 15;
