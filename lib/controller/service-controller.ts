// The contract of a service controller (§4.3): events of the stack in, commands to the stack out. Policies
// implement it without I/O; who carries the commands out, and when, is the driver's matter.

import type { ServiceCommand, ServiceEvent, TransportProtocol } from '../stack/control-interface';
import type { PickerName } from '../table/pickers/picker-names';
import type { Instant } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import type { ServicePrefix } from '../wire/service-id';

export interface ServiceController {
  handleEvent(event: ServiceEvent, now: Instant): void;
  /** The next command, oldest first; `undefined` when there is none. Drain it after every input. */
  pollCommand(): ServiceCommand | undefined;
  /** For policies with leases, repeats and limits in time: call `handleDeadline` then. None by default; asked after every burst. */
  nextDeadline?(): Instant;
  handleDeadline?(now: Instant): void;
}

/** Somebody who offers a service, and where (§3.1). */
export interface ServiceInstance {
  readonly prefix: ServicePrefix;
  readonly protocol: TransportProtocol;
  readonly address: NetworkAddress;
  /** Share of the first packets it asks for, relative to the other instances of the prefix. */
  readonly weight: number;
  /** How it wishes that one of several instances is chosen. */
  readonly picker?: PickerName | undefined;
}
