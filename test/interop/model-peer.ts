// A model of an end host of the original: what it does with packets before there is a socket for them, as
// client and as server (wire format §7). What it would drop in silence it drops, and keeps the reason.

import type { ScheduledEvent, SimulatedClock } from '../../lib/sim/clock';
import { seconds } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ModelSocket } from './model-socket';
import { ModelStream } from './model-stream';
import { Control, type IpPacket, type PacketView, Tcp, type TcpView, viewOf } from './packet-view';
import { synOptions, tcpBytes, udpBytes } from './packet-writer';

/** A half-open request: not a flow yet, so nothing but the right third ACK finds it. */
interface Request {
  readonly socket: ModelSocket;
  readonly syn: PacketView;
  readonly tcpInitial: number;
  readonly expiry: ScheduledEvent | undefined;
}

export class ModelPeer {
  /** Why packets were dropped, in order. */
  readonly dropped: string[] = [];
  readonly accepted: ModelSocket[] = [];
  /** Called with each accepted socket, before its first data. */
  onAccepted: (socket: ModelSocket) => void = () => {};
  private readonly listening = new Map<string, 6 | 17>();
  private readonly sockets = new Map<number, ModelSocket>();
  private readonly connecting = new Map<ModelSocket, number>();
  /** By the client's flowID alone (§7.7). */
  private readonly requests = new Map<number, Request>();
  /** A global counter: the first socket has 2 (§2). */
  private nextFlowID = 2;
  private readonly random: SeededRandom;

  constructor(
    readonly address: string,
    private readonly clock: SimulatedClock,
    seed: number,
    private readonly send: (packet: IpPacket) => void,
  ) {
    this.random = SeededRandom.of(seed);
  }

  listen(service: string, protocol: 6 | 17): void {
    this.listening.set(service, protocol);
  }

  connect(service: string, protocol: 6 | 17, to: string): ModelSocket {
    const socket = this.createSocket(service, protocol);
    const tcpInitial = this.random.uint32();
    this.sockets.set(socket.flow.flowID, socket);
    this.connecting.set(socket, tcpInitial);
    // Its SYN announces no window (§9).
    const fields = { sequence: tcpInitial, ack: 0, flags: Tcp.syn, window: 0, options: synOptions(true) };
    const transport = protocol === 6 ? tcpBytes(fields) : udpBytes(Buffer.alloc(0), true);
    socket.queueControl(Control.syn, [service], transport, to);
    return socket;
  }

  stop(): void {
    for (const socket of this.sockets.values()) socket.stop();
    for (const { expiry } of this.requests.values()) expiry?.cancel();
  }

  receive(packet: IpPacket): void {
    const view = viewOf(packet);
    if (view.problems.length > 0) {
      this.dropped.push(view.problems.join(', '));
      return;
    }
    const socket = this.sockets.get(view.destinationFlowID);
    if (socket !== undefined) this.handleForSocket(socket, view);
    else if (view.services.length === 0) this.dropped.push('no such flow');
    else this.handleForService(view);
  }

  // ---- client ----

  private handleForSocket(socket: ModelSocket, view: PacketView): void {
    if (socket.state === 'closed') this.dropped.push('closed');
    else if (socket.state !== 'request') socket.handle(view);
    else if (((view.control?.flags ?? 0) & Control.rst) !== 0) socket.fail('refused');
    else if (view.control?.flags === SYN_ACK) this.handleSynAck(socket, view);
    else this.dropped.push('not a SYN-ACK');
  }

  private handleSynAck(socket: ModelSocket, view: PacketView): void {
    const { control, tcp, packet } = view;
    if (control!.ack !== socket.sendNext) {
      this.dropped.push('ackno of a SYN-ACK');
      return;
    }
    socket.remote = {
      address: view.sourceList?.at(-1) ?? packet.source,
      flowID: view.sourceFlowID,
      nonce: control!.nonce,
    };
    socket.receiveNext = (control!.sequence + 1) >>> 0;
    socket.measured();
    socket.acknowledge(control!.ack);
    socket.state = 'connected';
    const initial = this.connecting.get(socket)!;
    if (tcp !== undefined) socket.stream = this.createStream(socket, initial, tcp, 1448);
    // Sent once, and never again by a timer (§7.7).
    const transport = socket.stream?.handshakeAck() ?? udpBytes(Buffer.alloc(0), false);
    socket.emit(Control.ack, [socket.flow.service], transport);
    this.onConnected(socket);
  }

  onConnected: (socket: ModelSocket) => void = () => {};

  // ---- server ----

  private handleForService(view: PacketView): void {
    const service = view.services[0]!;
    const flags = view.control?.flags ?? 0;
    if (this.listening.get(service) !== view.protocol) {
      // A SYN gets no answer; the RST for others is suppressed by our never listening twice.
      this.dropped.push('no such service');
    } else if (flags === Control.syn) {
      this.handleSyn(service, view);
    } else if (flags === Control.ack) {
      this.handleThirdAck(view);
    } else {
      this.dropped.push('neither SYN nor ACK');
    }
  }

  private handleSyn(service: string, view: PacketView): void {
    const known = this.requests.get(view.sourceFlowID);
    if (known !== undefined) {
      this.sendSynAck(known);
      return;
    }
    const { protocol, control, packet, sourceFlowID } = view;
    if (protocol === 6 && view.tcp?.flags !== Tcp.syn) {
      this.dropped.push('SYN without TCP SYN');
      return;
    }
    const socket = this.createSocket(service, protocol as 6 | 17);
    socket.remote = { address: packet.source, flowID: sourceFlowID, nonce: control!.nonce };
    socket.receiveNext = (control!.sequence + 1) >>> 0;
    socket.sendNext = (socket.flow.initial + 1) >>> 0;
    // TCP requests expire after 3 s, UDP's never (§7.8).
    const expire = (): void => void this.requests.delete(sourceFlowID);
    const expiry = protocol === 6 ? this.clock.scheduleAfter(seconds(3), expire) : undefined;
    const request = { socket, syn: view, tcpInitial: this.random.uint32(), expiry };
    this.requests.set(sourceFlowID, request);
    this.sendSynAck(request);
  }

  private sendSynAck({ socket, syn, tcpInitial }: Request): void {
    const { tcp } = syn;
    const options = synOptions(tcp?.windowScale !== undefined);
    const fields = { sequence: tcpInitial, flags: Tcp.syn | Tcp.ack, window: 5792, options };
    const transport =
      tcp === undefined ? udpBytes(Buffer.alloc(0), false) : tcpBytes({ ...fields, ack: tcp.sequence + 1 });
    socket.emit(SYN_ACK, [], transport, socket.flow.initial);
  }

  private handleThirdAck(view: PacketView): void {
    const request = this.requests.get(view.sourceFlowID);
    const { control, tcp } = view;
    if (request === undefined || view.destinationFlowID !== request.socket.flow.flowID) {
      this.dropped.push('no such request');
      return;
    }
    const { socket, syn, tcpInitial } = request;
    const isRight =
      control!.nonce === socket.remote!.nonce &&
      control!.sequence === socket.receiveNext &&
      control!.ack === socket.sendNext &&
      (tcp === undefined || tcp.ack === (tcpInitial + 1) >>> 0);
    if (!isRight) {
      this.dropped.push('third ACK');
      return;
    }
    request.expiry?.cancel();
    this.requests.delete(view.sourceFlowID);
    socket.measured();
    socket.acknowledge(control!.ack);
    socket.state = 'connected';
    if (tcp !== undefined) {
      const negotiated = { ...syn.tcp!, window: scaled(tcp.window, syn.tcp!.windowScale) };
      socket.stream = this.createStream(socket, tcpInitial, negotiated, 1408);
    }
    this.sockets.set(socket.flow.flowID, socket);
    this.accepted.push(socket);
    this.onAccepted(socket);
  }

  private createSocket(service: string, protocol: 6 | 17): ModelSocket {
    const word = (): string => this.random.uint32().toString(16).padStart(8, '0');
    const flow = { service, protocol, address: this.address, flowID: this.nextFlowID++ };
    const chosen = { nonce: word() + word(), initial: this.random.uint32() };
    return new ModelSocket({ ...flow, ...chosen }, this.clock, this.send, (reason) => this.dropped.push(reason));
  }

  private createStream(socket: ModelSocket, initial: number, peer: TcpView, segmentSize: number): ModelStream {
    return new ModelStream({
      clock: this.clock,
      initial,
      peerInitial: peer.sequence,
      segmentSize,
      peerShift: peer.windowScale,
      peerWindow: peer.window,
      emit: (transport) => socket.emit(undefined, [], transport),
      finAcknowledged: () => socket.finish(),
    });
  }
}

const SYN_ACK = Control.syn | Control.ack;

function scaled(window: number, shift: number | undefined): number {
  return window * 2 ** (shift ?? 0);
}
