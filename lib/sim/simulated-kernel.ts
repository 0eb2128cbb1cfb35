// The IP layer of a simulated host, as far as sockets see it: interfaces, routes, ports, and the errors that
// the network reports. The stacks above it send and receive whole SAL packets.

import type { NetworkInterface } from '../stack/control-interface';
import type { NetworkAddress } from '../wire/network-address';
import type { SimulatedClock } from './clock';
import { SimulatedInterface } from './simulated-interface';
import { ipLength, reportOn, type SimulatedPacket } from './simulated-packet';
import type { Trace } from './trace';

/** What listens at a port. */
export interface PortHandler {
  /** `local` is the address of this host to answer from. */
  received(packet: SimulatedPacket, local: NetworkAddress, broadcast: boolean): void;
  packetTooBig(address: NetworkAddress, mtu: number): void;
  unreachable(address: NetworkAddress): void;
}

/** What a kernel needs of its world. */
export interface KernelSite {
  readonly clock: SimulatedClock;
  readonly trace: Trace;
  nextPacketSerial(): number;
}

export class SimulatedKernel {
  private readonly interfaces: SimulatedInterface[] = [];
  /** By UDP port; port 0 are the raw sockets, each of which gets every raw packet. */
  private readonly handlers = new Map<number, Set<PortHandler>>();
  private nextPort = FIRST_EPHEMERAL_PORT;

  constructor(
    readonly host: string,
    private readonly site: KernelSite,
    private readonly interfacesChanged: () => void,
  ) {}

  get networkInterfaces(): readonly SimulatedInterface[] {
    return this.interfaces;
  }

  /** What the interface monitor of a real host would list. */
  describe(): NetworkInterface[] {
    return this.interfaces.flatMap((networkInterface) => networkInterface.describe());
  }

  addInterface(name: string, mtu: number): SimulatedInterface {
    const index = this.interfaces.length + 1;
    const receive = (packet: SimulatedPacket, by: SimulatedInterface): void => this.handlePacket(packet, by);
    const added = new SimulatedInterface(this.host, name, index, mtu, this.interfacesChanged, receive);
    this.interfaces.push(added);
    return added;
  }

  /** A port that nobody has used yet. */
  ephemeralPort(): number {
    return this.nextPort++;
  }

  bind(port: number, handler: PortHandler): void {
    const bound = this.handlers.get(port) ?? new Set();
    if (port !== 0 && bound.size > 0) throw new Error(`port ${port} of ${this.host} is taken`);
    this.handlers.set(port, bound.add(handler));
  }

  unbind(port: number, handler: PortHandler): void {
    this.handlers.get(port)?.delete(handler);
  }

  /**
   * Sends one packet; `source` undefined lets the route choose. Port 0 sends a raw packet, which `seal` gives
   * the checksum that depends on the addresses.
   */
  send(
    port: number,
    destination: NetworkAddress,
    source: NetworkAddress | undefined,
    bytes: Uint8Array,
    seal?: (bytes: Uint8Array, source: NetworkAddress, destination: NetworkAddress) => void,
  ): void {
    const by = this.isOwn(destination) ? undefined : this.route(destination, source);
    const local = source ?? by?.addressFor(destination) ?? destination;
    seal?.(bytes, local, destination);
    const packet: SimulatedPacket = {
      serial: this.site.nextPacketSerial(),
      from: this.host,
      source: local.withPort(port),
      destination,
      encapsulated: port !== 0,
      bytes,
      damaged: false,
    };
    this.note('sent', packet, '');
    if (this.isOwn(destination)) this.loop(packet);
    else if (by === undefined) this.drop(packet, 'no route');
    else this.transmit(packet, by);
  }

  /** MTU of the interface by which packets to `address` leave. */
  mtuTo(address: NetworkAddress): number | undefined {
    return this.isOwn(address) ? LOOPBACK_MTU : this.route(address, undefined)?.mtu;
  }

  private transmit(packet: SimulatedPacket, by: SimulatedInterface): void {
    if (!by.has(packet.source)) {
      this.drop(packet, 'not our address');
    } else if (ipLength(packet) > by.mtu) {
      this.drop(packet, `larger than ${by.mtu}`);
      this.loop(reportOn(packet, this.host, { kind: 'packetTooBig', about: packet.destination, mtu: by.mtu }));
    } else {
      // As Linux does, a broadcast comes back to the sockets of its sender.
      if (by.isBroadcast(packet.destination)) this.loop(packet, by);
      by.transmit(packet);
    }
  }

  private loop(packet: SimulatedPacket, by?: SimulatedInterface): void {
    this.site.clock.schedule(this.site.clock.now(), () => this.deliver(packet, by));
  }

  private route(destination: NetworkAddress, source: NetworkAddress | undefined): SimulatedInterface | undefined {
    const usable = this.interfaces.filter((one) => one.isUp && one.addressFor(destination) !== undefined);
    const sourced = source === undefined ? usable : usable.filter((one) => one.has(source));
    const candidates = sourced.length > 0 ? sourced : usable;
    return (
      candidates.find((one) => one.isBroadcast(destination)) ??
      candidates.find((one) => one.isOnLink(destination)) ??
      candidates.find((one) => one.reaches(destination))
    );
  }

  private handlePacket(packet: SimulatedPacket, by: SimulatedInterface): void {
    if (by.isUp) this.deliver(packet, by);
    else this.drop(packet, 'interface down');
  }

  private deliver(packet: SimulatedPacket, by: SimulatedInterface | undefined): void {
    const broadcast = by?.isBroadcast(packet.destination) === true;
    const local = broadcast ? by.addressFor(packet.destination) : packet.destination;
    const handlers = this.handlers.get(packet.encapsulated ? packet.destination.port : 0);
    if (local === undefined || !this.isOwn(local)) {
      this.drop(packet, 'not our address');
    } else if (packet.damaged && packet.encapsulated) {
      this.drop(packet, 'bad UDP checksum');
    } else if (handlers === undefined || handlers.size === 0) {
      this.refuse(packet, broadcast);
    } else {
      this.note('received', packet, '');
      const endpoint = local.withPort(packet.destination.port);
      for (const handler of [...handlers]) handOver(packet, handler, endpoint, broadcast);
    }
  }

  /** Nobody has the port: ICMP says so to the sender of a unicast packet. */
  private refuse(packet: SimulatedPacket, broadcast: boolean): void {
    this.drop(packet, 'nobody at the port');
    if (broadcast || packet.report !== undefined) return;
    const report = reportOn(packet, this.host, { kind: 'unreachable', about: packet.destination });
    if (this.isOwn(report.destination)) this.loop(report);
    else this.route(report.destination, report.source)?.transmit(report);
  }

  private isOwn(address: NetworkAddress): boolean {
    return address.isLoopback || this.interfaces.some((one) => one.isUp && one.has(address));
  }

  private drop(packet: SimulatedPacket, reason: string): void {
    this.note('dropped', packet, reason);
  }

  private note(event: 'sent' | 'received' | 'dropped', packet: SimulatedPacket, text: string): void {
    this.site.trace.add({ at: this.site.clock.now(), event, host: this.host, packet, text });
  }
}

function handOver(packet: SimulatedPacket, handler: PortHandler, local: NetworkAddress, broadcast: boolean): void {
  const { report } = packet;
  if (report === undefined) handler.received(packet, local, broadcast);
  else if (report.kind === 'packetTooBig') handler.packetTooBig(report.about, report.mtu);
  else handler.unreachable(report.about);
}

const LOOPBACK_MTU = 65_535;
const FIRST_EPHEMERAL_PORT = 49152;
