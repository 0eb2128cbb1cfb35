// A whole host without its I/O (§4, Figure 3): batches of packets, commands and deadlines in; batches to
// transmit, events and the next deadline out. After each input its driver drains every output.
// Long because the inputs, the verbs and the outputs of a host stand in one place.

import { LISTENER_FINISH_TIMEOUT, RECEIVE_BUFFER_DEFAULT, TRANSMIT_BYTES_MAXIMUM } from '../limits';
import { type Flow, type FlowFailure, type FlowOwner, Flow as FlowRecord } from '../sal/flow';
import type { ConnectRetried, InstanceFailure } from '../sal/instance-failures';
import type { LinkOutput } from '../sal/link-output';
import type { LinkProperties } from '../sal/link-properties';
import { MemberList } from '../sal/member-list';
import type { Path } from '../sal/path';
import { ServiceAccessLayer } from '../sal/service-access-layer';
import { randomNonce, startHandshake } from '../sal/signaling/handshake';
import type { HandshakeSegments } from '../sal/signaling/handshake-segments';
import type { Ping } from '../sal/signaling/ping';
import { resetFlow } from '../sal/signaling/teardown';
import { pickerNamed } from '../table/pickers/picker-names';
import { DEMUX_WEIGHT, type RuleKey } from '../table/service-rule';
import { DeadlineQueue } from '../time/deadline-queue';
import { type Duration, earlier, type Instant } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import { DatagramHandshake } from '../transport/datagram/datagram-handshake';
import { ReceiveBudget } from '../transport/stream/receive-budget';
import { StreamHandshake } from '../transport/stream/stream-handshake';
import { StreamTransport } from '../transport/stream/stream-transport';
import type { PathSize } from '../transport/transport';
import { type FlowTag, flowID } from '../wire/flow-id';
import type { NetworkAddress } from '../wire/network-address';
import type { ReceivedBatch } from '../wire/received-batch';
import { ServiceID, ServicePrefix } from '../wire/service-id';
import { TCP_HEADER_BYTES } from '../wire/tcp-header';
import type { PingOptions, StreamOptions } from './connect-options';
import { Connection } from './connection';
import type { ConnectionContext } from './connection-context';
import type { FlowMoveOutcome, ServiceCommand, ServiceEvent, TransportProtocol } from './control-interface';
import { type DatagramContext, DatagramEndpoint } from './datagram-endpoint';
import { EventQueue } from './event-queue';
import { FlowMobility } from './flow-mobility';
import { adoptFlow, announceFlow, type ConnectionState } from './handoff';
import { InstanceProbes } from './instance-probes';
import { Listener, type ListenerContext, type ListenerOptions } from './listener';
import { multipathOf } from './multipath';
import { PathHints } from './path-hints';
import { pathSize } from './path-size';
import { PayloadRoom } from './payload-room';
import { Pings } from './pings';
import { type Registrant, Registrations } from './registrations';
import type { StackEvent } from './stack-event';

export interface StackOptions {
  readonly random: RandomSource;
  /** What the flowIDs of this stack begin with, for links that hear the packets of others, too. */
  readonly flowTag?: FlowTag | undefined;
  /** Tells this host from others where its packets are to stay with an instance. */
  readonly identity?: number;
  /** IP MTU towards an address, where the driver can tell better than the link's `mtu`. */
  readonly mtuTo?: (link: number, remote: NetworkAddress) => number | undefined;
}

export class Stack implements ConnectionContext, ListenerContext, DatagramContext {
  readonly sal: ServiceAccessLayer;
  /** What the network says besides packets: ICMP goes in here. */
  readonly hints: PathHints;
  /** Where its flows may go, and who sends them there (§4.4). */
  readonly mobility: FlowMobility;
  readonly connections = new MemberList<Connection>();
  /** Until the driver has started, a connect without a route waits for one, and so does a datagram. */
  isStarting = false;
  readonly random: RandomSource;
  /** Room to receive that all streams share. */
  readonly receiveBudget = new ReceiveBudget();
  private readonly mtuTo: NonNullable<StackOptions['mtuTo']>;
  private readonly rooms: PayloadRoom;
  private readonly deadlines = new DeadlineQueue<Connection>();
  /** The options of most streams: one object for all. */
  private readonly plain: { readonly random: RandomSource; readonly receiveBudget: ReceiveBudget };
  private lastSize: PathSize | undefined;
  private touched: Connection[] = [];
  /** How many of `touched` have been asked what happened to them. */
  private unsettled = 0;
  private readonly events = new EventQueue<StackEvent>();
  private readonly registrations: Registrations;
  /** Those that finish their last handshakes; most of the time there is none. */
  private readonly finishing = new Set<Listener>();
  private readonly probes: InstanceProbes;
  private readonly pings: Pings;

  constructor(options: StackOptions) {
    this.random = options.random;
    this.plain = { random: options.random, receiveBudget: this.receiveBudget };
    this.mtuTo = options.mtuTo ?? (() => undefined);
    this.rooms = new PayloadRoom(this.mtuTo);
    const delayed = (serviceID: ServiceID, at: Instant) => this.tellControllers({ kind: 'delayed', serviceID, at });
    const abandoned = (serviceID: ServiceID) => this.tellControllers({ kind: 'abandoned', serviceID });
    const instanceFailed = (failure: InstanceFailure | ConnectRetried) => this.tellControllers(failure);
    const pathSilent = (flow: Flow) => this.pathSilent(flow);
    const migrationEnded = (flow: Flow, outcome: FlowMoveOutcome) => this.migrationEnded(flow, outcome);
    const isWithdrawn = (id: ServiceID, protocol: 6 | 17) => this.registrations.isWithdrawn(id, protocol);
    const observer = { delayed, abandoned, instanceFailed, isWithdrawn, pathSilent, migrationEnded };
    this.sal = new ServiceAccessLayer(options.random, observer, options.flowTag);
    this.sal.firstPackets.identity = options.identity ?? 0;
    this.hints = new PathHints(this.sal);
    this.registrations = new Registrations(this.sal.serviceTable, (event) => this.tellControllers(event));
    this.probes = new InstanceProbes({
      sal: this.sal,
      createProbeSegments: (protocol) => this.createPingSegments(protocol),
      probed: (event) => this.tellControllers(event),
    });
    this.pings = new Pings({
      sal: this.sal,
      createPingSegments: (protocol) => this.createPingSegments(protocol),
      begin: (flow, timeout, now, fail) => this.begin(flow, timeout, now, fail),
      ended: (ping) => this.events.add({ kind: 'ping', ping }),
    });
    this.mobility = new FlowMobility(this.sal, migrationEnded);
    this.attachLink({ kind: 'memory', encapsulated: false, role: 'data', mtu: LOOPBACK_MTU });
  }

  /** Attaches a link and returns its index. Index 0, the loopback link, is attached from the start. */
  attachLink(properties: LinkProperties): number {
    return this.sal.attachLink(properties).index;
  }

  outputs(): readonly LinkOutput[] {
    return this.sal.links.all();
  }

  /** Whether received first packets may be forwarded: a router, or the process that is one for its host. */
  setForwarding(forwards: boolean): void {
    this.sal.forwards = forwards;
  }

  /** Whether answers to the SYNs that are forwarded come back this way, for clients that hear nobody else (§7). */
  setRelaying(relays: boolean): void {
    this.sal.relaysReplies = relays;
  }

  /** The first rules are in place: what found no route until now has none. */
  handleStarted(now: Instant): void {
    this.isStarting = false;
    this.sal.retryFirstPackets(ServicePrefix.any, now);
    this.sal.releaseDelayed(ServicePrefix.any, now);
  }

  /** The host has other addresses than before. */
  handleAddressesChanged(now: Instant): void {
    for (const connection of this.connections) connection.handleAddressesChanged(now);
  }

  // ---- inputs ----

  handleReceived(link: number, batch: ReceivedBatch, now: Instant): void {
    this.sal.handleReceived(link, batch, now);
  }

  handleDeadline(now: Instant): void {
    this.sal.handleDeadline(now);
    for (const rule of this.sal.serviceTable.expire(now)) this.tellControllers({ kind: 'ruleExpired', rule });
    for (let due = this.deadlines.popDue(now); due !== undefined; due = this.deadlines.popDue(now)) {
      const deadline = due.nextDeadline();
      if (deadline <= now) due.handleDeadline(now);
      else this.deadlines.set(due, deadline);
    }
  }

  handleCommand(command: ServiceCommand, now: Instant): void {
    switch (command.kind) {
      case 'addRule':
        if (this.sal.serviceTable.addRule(command.rule, now) === 'full') this.sal.count('rulesFull');
        this.sal.retryFirstPackets(command.rule.prefix, now);
        return;
      case 'deleteRule':
        this.sal.serviceTable.deleteRule(command.rule);
        return;
      case 'modifyRule':
        this.sal.serviceTable.modifyRule(command.rule, command);
        return;
      case 'ejectRule':
        if (this.sal.serviceTable.ejectRule(command.rule)) {
          this.sal.handleEjected(command.rule, now);
          this.tellControllers({ kind: 'ruleEjected', rule: command.rule });
        }
        return;
      case 'readmitRule':
        this.readmit(command.rule, command.wasWell ?? false);
        return;
      case 'setPicker': {
        const { prefix, picker } = command;
        this.sal.serviceTable.setPicker(prefix, picker === undefined ? undefined : pickerNamed(picker));
        return;
      }
      case 'probe':
        this.probes.start(command, now);
        return;
      case 'releaseDelayed':
        this.sal.releaseDelayed(command.prefix, now);
        return;
      case 'discardDelayed':
        this.sal.firstPackets.discard(command.prefix);
        return;
      case 'setRouter':
        this.sal.oldRouters.registered = command.router;
        return;
      case 'peerGone':
        this.hints.handlePeerGone(command.address, now);
        return;
      case 'migrate':
        this.mobility.migrateAll(command.flows, command.to, now);
    }
  }

  // ---- what applications want ----

  connect(target: ServiceID, options: StreamOptions, now: Instant): Connection {
    const connection = this.createConnection(options, { remote: target }, 'open');
    const segments = this.createStreamSegments(this.sal.links.usual, options);
    const flow = new FlowRecord(randomNonce(this.sal), this.random.uint32(), 6, segments);
    flow.service = target;
    flow.via = options.via;
    connection.addFlow(flow);
    this.begin(flow, options.timeout, now, (failure) => connection.fail(failure, now));
    return connection;
  }

  /**
   * A connection that another process has left (`Connection.handOver`) goes on here. `undefined` when it cannot: its
   * flowID is taken, as it is where the same state was adopted before.
   */
  adopt(state: ConnectionState, options: StreamOptions, now: Instant): Connection | undefined {
    const segments = this.createStreamSegments(this.sal.links.towards(state.flow.remote), options);
    const flow = adoptFlow(this.sal, state.flow, segments);
    if (flow === undefined) return undefined;
    const { local, remote } = state;
    const names = { ...(local && { local }), ...(remote && { remote }) };
    const connection = this.createConnection(options, names, 'accept');
    connection.resume(flow, state.stream, now);
    announceFlow(this.sal, flow, now);
    return connection;
  }

  /** Registers by the act of listening (§4.1). `undefined` when a local socket has the prefix. */
  listen(
    prefix: ServicePrefix,
    options: ListenerOptions & { readonly weight?: number },
    now: Instant,
  ): Listener | undefined {
    const listener = new Listener(prefix, options, this);
    return this.registrations.add(listener, options.weight ?? DEMUX_WEIGHT, now) ? listener : undefined;
  }

  /** The sockets that listen, withdrawn ones too. */
  *listeners(): Generator<Listener> {
    for (const socket of this.registrations.sockets()) if (socket instanceof Listener) yield socket;
  }

  /** Share of first packets; 0 withdraws the socket, as if it had been closed, until it is more again. */
  setWeight(socket: Registrant, weight: number, now: Instant): void {
    this.registrations.setWeight(socket, weight, now);
  }

  closeListener(listener: Listener, now: Instant): void {
    this.registrations.remove(listener);
    this.finishing.delete(listener);
    for (const flow of [...listener.halfOpen]) resetFlow(this.sal, flow, now);
  }

  /**
   * Unregisters, but ends the handshakes that are under way: their clients have been answered, and take themselves for
   * connected. True when there are none, else 'listenerFinished' follows.
   */
  finishListener(listener: Listener, now: Instant): boolean {
    this.registrations.remove(listener);
    if (listener.isIdle) return true;
    for (const flow of listener.halfOpen) {
      flow.setLifetime(LISTENER_FINISH_TIMEOUT, now);
      this.sal.reschedule(flow);
    }
    this.finishing.add(listener);
    return false;
  }

  /**
   * Opens a datagram socket, bound to `prefix` and registered, or to a random serviceID that only we know
   * (§5.1, as the original's autobind). `undefined` when a local datagram socket has the prefix.
   */
  openDatagram(
    prefix: ServicePrefix | undefined,
    now: Instant,
    weight: number = DEMUX_WEIGHT,
    isRegistered = prefix !== undefined,
  ): DatagramEndpoint | undefined {
    const bound = prefix ?? ServicePrefix.of(this.randomServiceID());
    // Nobody demultiplexes on it: answers come by serviceID.
    const source = flowID(this.random.uint32() || 1);
    const endpoint = new DatagramEndpoint(this, bound, bound.base, source, isRegistered);
    return this.registrations.add(endpoint, weight, now) ? endpoint : undefined;
  }

  connectDatagram(endpoint: DatagramEndpoint, target: ServiceID, timeout: Duration | undefined, now: Instant): void {
    endpoint.disconnect(now);
    const flow = new FlowRecord(randomNonce(this.sal), this.random.uint32(), 17, new DatagramHandshake());
    flow.service = target;
    endpoint.setConnecting(flow);
    this.begin(flow, timeout, now, (failure) => endpoint.flowClosed(flow, failure));
  }

  closeDatagram(endpoint: DatagramEndpoint, now: Instant): void {
    if (endpoint.isClosed) return;
    this.registrations.remove(endpoint);
    endpoint.close(now);
  }

  ping(target: ServiceID, options: PingOptions, now: Instant): Ping {
    return this.pings.start(target, options, now);
  }

  /** For the end of the host: connections that were not shut down in good order are reset, on both ends. */
  resetOpenConnections(now: Instant): void {
    for (const flow of [...this.sal.flowTable.values()]) if (flow.state === 'respond') resetFlow(this.sal, flow, now);
    for (const connection of [...this.connections]) {
      const { isShutdown, bufferedBytes } = connection.transport;
      if (!isShutdown || bufferedBytes > 0) connection.fail('hostClosed', now);
    }
    for (const flow of [...this.sal.flowTable.values()])
      if (flow.stopsAtAnswer) this.sal.close(flow, 'hostClosed', now);
  }

  // ---- outputs ----

  /**
   * Fills the links' batches with what may leave. True when more waits for room: transmit, then poll again.
   * Connections take turns, so that one with much to send does not hold up the others.
   */
  pollTransmit(now: Instant): boolean {
    const turn = this.touched;
    this.touched = [];
    this.unsettled = 0;
    for (let index = 0; index < turn.length; index++) {
      const connection = turn[index]!;
      if (this.isBatchFull()) {
        this.touched = turn.slice(index).concat(this.touched);
        break;
      }
      connection.isTouched = false;
      const more = connection.pollTransmit(now);
      connection.settle(now);
      if (!connection.isClosed) this.deadlines.hasten(connection, connection.nextDeadline());
      if (more) this.touch(connection);
    }
    this.sal.pollTransmit();
    return this.touched.length > 0;
  }

  /** What happened. Poll until `undefined` before `pollTransmit`: the answers then leave with the rest. */
  pollEvent(now: Instant): StackEvent | undefined {
    while (this.events.isEmpty && this.unsettled < this.touched.length) this.touched[this.unsettled++]!.settle(now);
    if (this.finishing.size > 0 && this.events.isEmpty) this.announceFinished();
    return this.events.take();
  }

  nextDeadline(): Instant {
    return earlier(earlier(this.sal.nextDeadline(), this.deadlines.next()), this.sal.serviceTable.nextDeadline());
  }

  // ---- ConnectionContext, ListenerContext, DatagramContext ----

  touch(connection: Connection): void {
    if (connection.isTouched) return;
    connection.isTouched = true;
    this.touched.push(connection);
  }

  announce(connection: Connection): void {
    this.events.add(connection);
  }

  touchDatagram(endpoint: DatagramEndpoint): void {
    if (endpoint.isTouched) return;
    endpoint.isTouched = true;
    this.events.add({ kind: 'datagram', endpoint });
  }

  forget(connection: Connection): void {
    this.deadlines.remove(connection);
    this.connections.delete(connection);
  }

  pathSilent(flow: Flow): void {
    const address = flow.migration?.own?.path.local ?? flow.path?.local;
    this.tellControllers({ kind: 'pathSilent', flowID: flow.localFlowID, address });
  }

  private migrationEnded({ localFlowID, path }: Flow, outcome: FlowMoveOutcome): void {
    this.tellControllers({ kind: 'migrationEnded', flowID: localFlowID, outcome, address: path?.local });
  }

  pathSizeOf(flow: Flow): PathSize {
    const path = flow.path!;
    const { properties } = this.sal.links.at(path.link);
    const size = pathSize(properties, path.remote, this.mtuTo(path.link, path.remote) ?? properties.mtu);
    // Each connection keeps its own until it carries something; most are alike, and share one.
    const { lastSize } = this;
    if (lastSize?.base === size.base && lastSize.maximum === size.maximum) return lastSize;
    this.lastSize = size;
    return size;
  }

  payloadRoom(output: LinkOutput, remote: NetworkAddress, headerBytes: number): number {
    return this.rooms.to(output, remote) - headerBytes;
  }

  createSegments(path: Path, options: ListenerOptions): HandshakeSegments {
    return this.createStreamSegments(this.sal.links.at(path.link), options);
  }

  accept(listener: Listener, flow: Flow): FlowOwner {
    const names = flow.service === undefined ? {} : { local: flow.service };
    const connection = this.createConnection(listener.options, names, 'accept');
    connection.addFlow(flow);
    listener.waiting++;
    this.events.add({ kind: 'accepted', listener, connection });
    return connection;
  }

  private announceFinished(): void {
    for (const listener of this.finishing) {
      if (!listener.isIdle) continue;
      this.finishing.delete(listener);
      this.events.add({ kind: 'listenerFinished', listener });
    }
  }

  private isBatchFull(): boolean {
    for (const { batch } of this.sal.links.all()) if (batch.payloadBytes >= TRANSMIT_BYTES_MAXIMUM) return true;
    return false;
  }

  private createConnection(
    options: StreamOptions,
    names: { local?: ServiceID; remote?: ServiceID },
    mode: 'open' | 'accept',
  ): Connection {
    const { sendBuffer, receiveBuffer } = options;
    const isPlain = sendBuffer === undefined && receiveBuffer === undefined;
    const transport = new StreamTransport(isPlain ? this.plain : { ...this.plain, sendBuffer, receiveBuffer });
    const multipath = multipathOf(options.multipath ?? mode === 'accept', mode);
    const connection = new Connection(this, transport, names, multipath);
    this.connections.add(connection);
    return connection;
  }

  private createStreamSegments(output: LinkOutput, options: StreamOptions): StreamHandshake {
    const { mtu, encapsulated } = output.properties;
    // Encapsulated, any size is received, and the sender searches the path's (RFC 8899); the original on a
    // raw link cuts to what it is told.
    const maximumSegment = encapsulated ? IP_PACKET_MAXIMUM : mtu - RAW_HEADERS;
    return new StreamHandshake({
      initialSequence: this.random.uint32(),
      maximumSegment,
      receiveBuffer: options.receiveBuffer ?? RECEIVE_BUFFER_DEFAULT,
    });
  }

  createFlowSegments(link: number): HandshakeSegments {
    return this.createStreamSegments(this.sal.links.at(link), {});
  }

  private createPingSegments(protocol: TransportProtocol): HandshakeSegments {
    return protocol === 6 ? this.createStreamSegments(this.sal.links.usual, {}) : new DatagramHandshake();
  }

  private begin(flow: Flow, timeout: Duration | undefined, now: Instant, fail: (failure: FlowFailure) => void): void {
    const outcome = startHandshake(this.sal, flow, timeout, now);
    if (outcome === 'tableFull') fail('noRoom');
    // While the host starts, its rules are still to come.
    else if (outcome === 'noRoute' && !this.isStarting) this.sal.close(flow, 'noRoute', now);
  }

  private readmit(rule: RuleKey, wasWell: boolean): void {
    const weight = this.sal.serviceTable.readmitRule(rule);
    if (weight !== undefined) this.tellControllers({ kind: 'ruleReadmitted', rule, weight, wasWell });
  }

  private tellControllers(event: ServiceEvent): void {
    this.events.add({ kind: 'service', event });
  }

  private randomServiceID(): ServiceID {
    return ServiceID.fromWords(Array.from({ length: 8 }, () => this.random.uint32()));
  }
}

const LOOPBACK_MTU = 65_535;
const IP_PACKET_MAXIMUM = 65_535;
/** IPv4, bare SAL and TCP headers. */
const RAW_HEADERS = 20 + 12 + TCP_HEADER_BYTES;
