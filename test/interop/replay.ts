// Replays one side of a captured conversation of the original stack. The packets of the others go to our
// stack as they were captured and when, with only what our own chance decides put in (our flowID and nonce,
// our numbers in their acknowledgments); what the captured host's application did, ours does at that time.
// Every packet that our stack sends is judged by `OriginalPeer`.
//
// A packet waits until our stack has sent what it acknowledges, and has acknowledged what the captured host
// had by then: otherwise the conversation would not be one.

import type { DatagramHandle } from '../../lib/driver/handles';
import { SimulatedClock } from '../../lib/sim/clock';
import type { Instant } from '../../lib/time/instant';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { type CaptureName, readTimedCapture } from '../wire/pcap';
import { DatagramApplication, StreamApplication } from './application';
import { OriginalPeer, type PacketKind } from './original-peer';
import { ipPacketOf } from './packet-patch';
import { Control, type IpPacket, type PacketView, Tcp, viewOf } from './packet-view';
import { addressOf, RawHost } from './raw-host';
import { ReplayedFlow } from './replayed-flow';

export const BROADCAST = '10.77.0.255';

export interface ReplayOptions {
  readonly capture: CaptureName;
  /** The captured host that our stack takes the place of. */
  readonly as: string;
  /** Another address, to which it moves (§12). */
  readonly movesTo?: string;
  /** Where its default rule pointed; the broadcast address unless there was a router. */
  readonly defaultRule?: string;
  /** Numbers of the first and last packet, from 1; default all. */
  readonly from?: number;
  readonly to?: number;
  /** Packets of the others that are not replayed, for a reason that the test tells. */
  readonly without?: readonly number[];
  /** Whether our application reads; default true. */
  readonly reads?: boolean;
}

/** One packet of the capture. */
interface Step {
  readonly number: number;
  readonly at: number;
  readonly isOurs: boolean;
  readonly view: PacketView;
}

export class Replay {
  readonly clock = new SimulatedClock(START);
  readonly host: RawHost;
  readonly judge: OriginalPeer;
  /** What left our stack, in order. */
  readonly sent: { readonly kind: PacketKind; readonly view: PacketView; readonly at: number }[] = [];
  readonly streams: StreamApplication[] = [];
  readonly datagrams: DatagramApplication[] = [];
  private readonly sockets: DatagramHandle[] = [];
  private readonly steps: readonly Step[];
  /** In the order in which they appear, in the capture and from our stack. */
  private readonly flows: readonly ReplayedFlow[];
  private readonly begun = new Set<ReplayedFlow>();
  private lag = 0;

  constructor(private readonly options: ReplayOptions) {
    const { as } = options;
    this.host = new RawHost(this.clock, { address: as, broadcast: BROADCAST, seed: 1 });
    if (options.movesTo !== undefined) this.host.interfaceUp('eth1', options.movesTo);
    this.host.forward(options.defaultRule ?? BROADCAST);
    this.host.sent = (packet) => this.takeSent(packet);
    this.judge = new OriginalPeer(as);
    this.steps = readSteps(options);
    this.flows = this.findFlows();
    this.listen();
  }

  /** Plays the capture to its end, and then lets `rest` milliseconds pass. */
  run(rest = 30_000): this {
    for (const step of this.steps) {
      this.advanceTo(START + step.at + this.lag);
      if (step.isOurs) this.act(step.view);
      else this.deliver(step);
    }
    this.advanceTo(this.clock.now() + rest);
    return this;
  }

  /** Where our control packets went and their SAL headers, each once, numbered as the captured host's. */
  get signaling(): string[] {
    const control = this.sent.filter(({ view }) => view.control !== undefined);
    const first = control.filter(({ view }) => view.packet.bytes[DETAIL] === 0);
    return unrepeated(first.map(({ view }) => headerOf(viewOf(this.actualFlow(view)!.toCaptured(view)))));
  }

  /** The same of the captured host. */
  get capturedSignaling(): string[] {
    const control = this.steps.filter(({ isOurs, view }) => isOurs && view.control !== undefined);
    return unrepeated(control.map(({ view }) => headerOf(view)));
  }

  kinds(): PacketKind[] {
    return this.sent.map(({ kind }) => kind);
  }

  /** What a flow's stream carried in the capture: from the captured host, or to it. */
  capturedStream(from: 'us' | 'peer', flow = 0): Buffer {
    const { flowID } = this.flows[flow]!.captured;
    const isOf = ({ isOurs, view }: Step): boolean =>
      isOurs === (from === 'us') && (isOurs ? view.sourceFlowID : view.destinationFlowID) === flowID;
    let stream = Buffer.alloc(0);
    let first: number | undefined;
    for (const { view } of this.steps.filter((step) => step.view.tcp !== undefined && isOf(step))) {
      const { sequence, flags, payload } = view.tcp!;
      first ??= (flags & Tcp.syn) === 0 ? sequence : sequence + 1;
      if ((sequence - first) >>> 0 === stream.length) stream = Buffer.concat([stream, payload]);
    }
    return stream;
  }

  /** What our stack sent of a flow's stream. */
  sentStream(flow = 0): Buffer {
    return this.judge.streams.get(this.flows[flow]!.actual!.flowID)!;
  }

  // ---- our application ----

  /** Opens what the captured host listened with: the services whose SYNs it answered. */
  private listen(): void {
    for (const { isOurs, view } of this.steps) {
      if (!isOurs || view.control?.flags !== SYN_ACK) continue;
      const syn = this.steps.find((step) => step.view.sourceFlowID === view.destinationFlowID)!;
      const prefix = ServicePrefix.of(ServiceID.fromHex(syn.view.services[0]!)!);
      if (view.protocol === 6) this.host.sockets.listen(prefix, {}, { connection: (handle) => this.addStream(handle) });
      else this.sockets.push(this.host.sockets.openDatagram(prefix, this.addDatagram()));
      return;
    }
  }

  private act(view: PacketView): void {
    const flow = this.capturedFlow(view.sourceFlowID);
    const index = this.flows.indexOf(flow!);
    const { payload, ends } = flow!.noteCaptured(view);
    const flags = view.control?.flags ?? 0;
    if (flags === Control.syn) {
      if (!this.begun.has(flow!)) this.connect(view);
      this.begun.add(flow!);
    } else if (view.control === undefined && view.datagram !== undefined) {
      this.sendDatagram(index, view.datagram);
    } else if (flags === Control.fin && view.protocol === 17 && !this.hasFinished(view)) {
      this.sockets[index]!.close();
    }
    const stream = this.streams[index]?.handle;
    if (flags === Control.rsyn) stream!.migrate({ address: addressOf(this.options.movesTo!) });
    if (payload.length > 0) stream!.write(payload);
    if (ends && this.isAborted(view.sourceFlowID)) stream!.close();
    else if (ends) stream!.shutdown();
  }

  private connect(view: PacketView): void {
    const service = ServiceID.fromHex(view.services[0]!)!;
    if (view.protocol === 6) {
      const stream = new StreamApplication(this.options.reads);
      this.streams.push(stream);
      stream.handle = this.host.sockets.connect(service, {}, stream);
    } else {
      const socket = this.host.sockets.openDatagram(undefined, this.addDatagram());
      socket.connect(service, {});
      this.sockets.push(socket);
    }
  }

  /** To the instance connected to, or back to whom the last datagram came from. */
  private sendDatagram(index: number, bytes: Buffer): void {
    const from = this.datagrams[index]!.messages.at(-1)?.from;
    const error = this.sockets[index]!.send(bytes, from?.flowID === undefined ? undefined : from);
    if (error !== undefined) throw error;
  }

  private addStream(handle: StreamApplication['handle']): void {
    const stream = new StreamApplication(this.options.reads);
    this.streams.push(stream);
    stream.take(handle!);
  }

  private addDatagram(): DatagramApplication {
    const datagram = new DatagramApplication();
    this.datagrams.push(datagram);
    return datagram;
  }

  private isAborted(flowID: number): boolean {
    const isReset = ({ isOurs, view }: Step): boolean =>
      isOurs && view.sourceFlowID === flowID && ((view.control?.flags ?? 0) & Control.rst) !== 0;
    return this.steps.some(isReset);
  }

  /** Whether the peer's FIN came before: then our FIN is the stack's own doing. */
  private hasFinished(fin: PacketView): boolean {
    const at = this.steps.findIndex(({ view }) => view === fin);
    return this.steps.slice(0, at).some(({ isOurs, view }) => !isOurs && view.control?.flags === Control.fin);
  }

  // ---- the others ----

  private deliver({ number, view }: Step): void {
    const flow = view.destinationFlowID === 0 ? undefined : this.capturedFlow(view.destinationFlowID);
    const planned = this.clock.now();
    for (let missing = flow?.missingFor(view); missing !== undefined; missing = flow?.missingFor(view)) {
      const next = this.clock.nextAt();
      if (next === undefined || next > planned + PATIENCE) throw new Error(`packet ${number} waits for ${missing}`);
      this.clock.step();
    }
    this.lag += this.clock.now() - planned;
    const packet = flow?.toActual(view) ?? view.packet;
    this.judge.hears(packet);
    this.host.receive(packet);
  }

  // ---- what our stack sends ----

  private takeSent(packet: IpPacket): void {
    const kind = this.judge.judge(packet);
    const view = viewOf(packet);
    this.sent.push({ kind, view, at: this.clock.now() - START });
    const isFirst = ((view.control?.flags ?? 0) & Control.syn) !== 0;
    const flow = this.actualFlow(view) ?? (isFirst ? this.flows.find(({ actual }) => actual === undefined) : undefined);
    flow?.noteActual(view);
  }

  private capturedFlow(flowID: number): ReplayedFlow | undefined {
    return this.flows.find(({ captured }) => captured.flowID === flowID);
  }

  private actualFlow(view: PacketView): ReplayedFlow | undefined {
    return this.flows.find(({ actual }) => actual?.flowID === view.sourceFlowID);
  }

  private findFlows(): ReplayedFlow[] {
    const firsts = this.steps.filter(({ isOurs, view }) => isOurs && ((view.control?.flags ?? 0) & Control.syn) !== 0);
    const flowIDs = firsts.map(({ view }) => view.sourceFlowID);
    const own = firsts.filter(({ view }, index) => flowIDs.indexOf(view.sourceFlowID) === index);
    return own.map(({ view }) => new ReplayedFlow(view, this.counterpart(view)));
  }

  /** The SYN-ACK to our SYN, or the SYN of our SYN-ACK. */
  private counterpart(first: PacketView): PacketView | undefined {
    const isAnswer = first.control!.flags === Control.syn;
    const isIt = ({ isOurs, view }: Step): boolean => {
      if (isOurs) return false;
      if (isAnswer) return view.control?.flags === SYN_ACK && view.destinationFlowID === first.sourceFlowID;
      return view.control?.flags === Control.syn && view.sourceFlowID === first.destinationFlowID;
    };
    return this.steps.find(isIt)?.view;
  }

  private advanceTo(at: number): void {
    for (let next = this.clock.nextAt(); next !== undefined && next <= at; next = this.clock.nextAt()) {
      this.clock.step();
    }
    this.clock.advanceTo(at as Instant);
  }
}

const START = 1000 as Instant;
/** Longer than any timer that could still make our stack say what is missing. */
const PATIENCE = 5000;
const SYN_ACK = Control.syn | Control.ack;

function readSteps(options: ReplayOptions): Step[] {
  const { capture, as, movesTo, from = 1, to = Number.POSITIVE_INFINITY, without = [] } = options;
  const steps = readTimedCapture(capture).map(({ at, packet }, index) => {
    const view = viewOf(ipPacketOf(packet));
    const isOurs = view.packet.source === as || view.packet.source === movesTo;
    return { number: index + 1, at, view, isOurs };
  });
  return steps.filter(({ number, isOurs, view }) => {
    const isForUs = [as, movesTo, BROADCAST].includes(view.packet.destination);
    return number >= from && number <= to && !without.includes(number) && (isOurs || isForUs);
  });
}

/** Destination and SAL header; no address is part of its checksum. */
function headerOf(view: PacketView): string {
  return `${view.packet.destination} ${view.packet.bytes.toString('hex', 0, view.salLength)}`;
}

/** Where CONTROL, the first extension, says how often a SYN has failed before: 0 says that it is the first. */
const DETAIL = 12 + 3;

/** Without retransmissions, which follow each side's own clock. */
function unrepeated(packets: readonly string[]): string[] {
  return packets.filter((packet, index) => packets.indexOf(packet) === index);
}
