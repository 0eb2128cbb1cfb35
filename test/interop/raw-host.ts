// A host of ours with one raw link (IP protocol 144) and nothing below it: a test hands it packets and takes
// those it sends. What the native raw link does to a packet is done here: transport checksums are made and
// verified with the addresses of the IP header.

import { PolicySocket, type TalkingPolicy } from '../../lib/driver/policy-socket';
import { StackDriver } from '../../lib/driver/stack-driver';
import { StackSockets } from '../../lib/driver/stack-sockets';
import type { ScheduledEvent, SimulatedClock } from '../../lib/sim/clock';
import { SimulatedLoopback } from '../../lib/sim/simulated-loopback';
import { packetsOf } from '../../lib/sim/transmit-row';
import { Stack } from '../../lib/stack/stack';
import { DEFAULT_RULE_PRIORITY, DEFAULT_RULE_WEIGHT } from '../../lib/table/service-rule';
import { type Instant, NEVER } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ReceivedBatch, RowFlag } from '../../lib/wire/received-batch';
import { ServicePrefix } from '../../lib/wire/service-id';
import { sealCutPacket } from '../../lib/wire/train-cutter';
import { TrainJoiner } from '../../lib/wire/train-joiner';
import type { TransmitBatch } from '../../lib/wire/transmit-batch';
import { hasValidTransportChecksum } from '../../lib/wire/transport-checksum';
import { createWireErrorCounters } from '../../lib/wire/wire-error';
import type { IpPacket } from './packet-view';

const MTU = 1500;
const RAW_LINK = 1;

export interface RawHostOptions {
  readonly address: string;
  /** The segment's broadcast address: the default rule's target, unless `router` is given (§4.2). */
  readonly broadcast: string;
  readonly seed: number;
  readonly forwards?: boolean;
}

export class RawHost {
  readonly stack: Stack;
  readonly sockets: StackSockets;
  /** Called for every packet that leaves. */
  sent: (packet: IpPacket) => void = () => {};
  private readonly driver: StackDriver;
  private readonly loopback: SimulatedLoopback;
  private readonly address: NetworkAddress;
  private readonly joiner = new TrainJoiner(createWireErrorCounters(), { transportChecksums: true });
  private timer: ScheduledEvent | undefined;

  constructor(
    private readonly clock: SimulatedClock,
    private readonly options: RawHostOptions,
  ) {
    this.address = addressOf(options.address);
    this.stack = new Stack({ random: SeededRandom.of(options.seed) });
    this.stack.setForwarding(options.forwards ?? false);
    this.loopback = new SimulatedLoopback(clock, (batch) => this.driver.received(0, batch));
    this.driver = new StackDriver(this.stack, {
      now: () => clock.now(),
      transmit: (link, batch) => this.transmit(link, batch),
      schedule: (at) => this.schedule(at),
      requestFlush: () => void clock.schedule(clock.now(), () => this.driver.flush()),
    });
    this.sockets = new StackSockets(this.driver, Promise.resolve());
    this.interfaceUp('eth0', options.address);
    this.stack.attachLink({ kind: 'raw', encapsulated: false, role: 'data', mtu: MTU });
  }

  /** Where first packets for `prefix` go. */
  forward(to: string, prefix = ServicePrefix.any): void {
    this.driver.command({
      kind: 'addRule',
      rule: {
        action: 'forward',
        prefix,
        address: addressOf(to),
        link: RAW_LINK,
        broadcast: to === this.options.broadcast,
        scope: 'network',
        priority: DEFAULT_RULE_PRIORITY,
        weight: DEFAULT_RULE_WEIGHT,
      },
    });
  }

  /** A policy with a socket of its own. */
  talk(policy: TalkingPolicy): void {
    this.driver.addController(new PolicySocket(policy, this.driver));
  }

  /** The interface has this address from now on. */
  interfaceUp(name: string, ip: string): void {
    const [address, broadcast] = [addressOf(ip), addressOf(this.options.broadcast)];
    const networkInterface = { name, index: 1, address, broadcast, prefixBits: 24, mtu: MTU, isLoopback: false };
    this.driver.tellControllers({ kind: 'interfaceUp', networkInterface });
  }

  interfaceDown(name: string, ip: string): void {
    const networkInterface = { name, index: 1, address: addressOf(ip), prefixBits: 24, mtu: MTU, isLoopback: false };
    this.driver.tellControllers({ kind: 'interfaceDown', networkInterface });
  }

  receive(packet: IpPacket): void {
    const { bytes } = packet;
    const [source, destination] = [addressOf(packet.source), addressOf(packet.destination)];
    const at = bytes[8]! * 4;
    if (!hasValidTransportChecksum(bytes, at, bytes.length - at, bytes[9]!, source, destination)) return;
    const isBroadcast = packet.destination === this.options.broadcast;
    const local = isBroadcast ? this.address : destination;
    const batch = new ReceivedBatch(1, Buffer.from(bytes));
    this.joiner.append(batch, source, local, isBroadcast ? RowFlag.broadcast : 0, 0, bytes.length);
    this.driver.received(RAW_LINK, batch);
  }

  private transmit(link: number, batch: TransmitBatch): boolean {
    if (link !== RAW_LINK) return this.loopback.transmit(batch);
    for (const { source, destination, bytes } of packetsOf(batch)) {
      const from = source ?? this.address;
      sealCutPacket(bytes, from, destination);
      this.sent({ source: from.ip, destination: destination.ip, bytes: Buffer.from(bytes) });
    }
    return true;
  }

  private schedule(at: Instant): void {
    this.timer?.cancel();
    this.timer = at === NEVER ? undefined : this.clock.schedule(at, () => this.driver.deadline());
  }
}

export function addressOf(ip: string): NetworkAddress {
  return NetworkAddress.parse(ip)!;
}
