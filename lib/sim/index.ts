// The public API of `serval/sim`: whole hosts on a simulated network, in virtual time, from one seed.

export type {
  ConnectOptions,
  DatagramHandle,
  DatagramObserver,
  DatagramSource,
  FlowInformation,
  ListenerHandle,
  ListenerObserver,
  ListenOptions,
  SocketHost,
  StreamHandle,
  StreamObserver,
} from '../driver/handles';
export { type Duration, type Instant, milliseconds, seconds } from '../time/instant';
export type { RandomSource } from '../time/random-source';
export { SeededRandom } from '../time/seeded-random';
export { NetworkAddress } from '../wire/network-address';
export { ServiceID, ServicePrefix } from '../wire/service-id';
export { type ScheduledEvent, SimulatedClock } from './clock';
export { Blackhole, type Outage } from './elements/blackhole';
export { BurstLoss, type GilbertElliott } from './elements/burst-loss';
export { Corruption, type Damage } from './elements/corruption';
export { Delay } from './elements/delay';
export { Duplication } from './elements/duplication';
export { Fading } from './elements/fading';
export { Jitter } from './elements/jitter';
export { Mtu } from './elements/mtu';
export { RandomLoss } from './elements/random-loss';
export { type PacketQueue, type QueueDiscipline, Rate } from './elements/rate';
export { Reordering } from './elements/reordering';
export { type TailDropBounds, TailDropQueue } from './elements/tail-drop-queue';
export type { PlugOptions } from './network';
export type { ElementSite, NetworkElement, PacketSink } from './network-element';
export { Partition } from './partition';
export { type Path, path } from './path';
export type { Attachment, Segment } from './segment';
export type { HierarchyOptions } from './simulated-hierarchy';
export type { HostOptions, SimulatedHost } from './simulated-host';
export type { InterfaceAddress, SimulatedInterface } from './simulated-interface';
export { ipLength, type NetworkReport, type SimulatedPacket } from './simulated-packet';
export type { Trace, TraceEntry } from './trace';
export { type RunOptions, SimulationError, World, type WorldOptions } from './world';
