// The control / data plane split (§4): what the stack tells a service controller, and what a controller
// may ask of the stack. Plain data, so that it crosses a process or a wire as it is.

import type { ConnectRetried, InstanceFailure } from '../sal/instance-failures';
import type { NetworkInterface } from '../sal/link-properties';
import type { MigrationTarget } from '../sal/local-interfaces';
import type { MigrationOutcome } from '../sal/signaling/migration-record';
import type { PickerName } from '../table/pickers/picker-names';
import type { RuleKey, ServiceRule } from '../table/service-rule';
import type { RuleChange } from '../table/service-table';
import type { Duration, Instant } from '../time/instant';
import type { FlowID } from '../wire/flow-id';
import type { NetworkAddress } from '../wire/network-address';
import type { ServiceID, ServicePrefix } from '../wire/service-id';

export type { NetworkInterface } from '../sal/link-properties';
export type { MigrationTarget } from '../sal/local-interfaces';

export type TransportProtocol = 6 | 17;

/** What happened, for controllers (§4.1: active sockets generate service-related events). */
export type ServiceEvent =
  /** A local socket listens now. The DEMUX rule is already in the table. Told again when its weight has changed. */
  | {
      readonly kind: 'registered';
      readonly prefix: ServicePrefix;
      readonly protocol: TransportProtocol;
      /** Share of the first packets it asks for, relative to the other instances of the prefix. */
      readonly weight: number;
      /** How it wishes that one of several instances is chosen. */
      readonly picker?: PickerName | undefined;
    }
  /** A local socket stopped listening. */
  | {
      readonly kind: 'unregistered';
      readonly prefix: ServicePrefix;
      readonly protocol: TransportProtocol;
      /** The socket is still there, and takes nobody for now. Told again without it when it closes. */
      readonly isWithdrawn?: boolean;
    }
  /** A packet matched a DELAY rule and waits (§4.3). */
  | { readonly kind: 'delayed'; readonly serviceID: ServiceID; readonly at: Instant }
  /** No packet for the service waits any more: they were too old or too many, or their sockets have gone. */
  | { readonly kind: 'abandoned'; readonly serviceID: ServiceID }
  /** A FORWARD rule led to somebody who does not do what it says. Told a bounded number of times in a second. */
  | InstanceFailure
  | ConnectRetried
  /** What an instance answered to the command 'probe'. */
  | {
      readonly kind: 'probed';
      readonly serviceID: ServiceID;
      readonly address: NetworkAddress;
      readonly link: number;
      readonly outcome: ProbeOutcome;
    }
  /** Resolution passes the rule over, or no longer does: a command has taken effect. */
  | { readonly kind: 'ruleEjected'; readonly rule: RuleKey }
  | {
      readonly kind: 'ruleReadmitted';
      readonly rule: RuleKey;
      readonly weight: number;
      /** It was passed over on a suspicion that proved wrong: it need not start slowly. */
      readonly wasWell: boolean;
    }
  /** A rule ended by its idle or hard timeout. */
  | { readonly kind: 'ruleExpired'; readonly rule: ServiceRule }
  /**
   * Nobody answers on the path of a flow, or at the address that it tries because its own is gone (§4.4). Told again
   * as long as that lasts, with pauses that grow. `address`: the one of ours that is in use, or tried.
   */
  | { readonly kind: 'pathSilent'; readonly flowID: FlowID; readonly address: NetworkAddress | undefined }
  /** What has become of a flow that was to go another way (§4.4). `address`: the one of ours that it uses. */
  | {
      readonly kind: 'migrationEnded';
      readonly flowID: FlowID;
      readonly outcome: FlowMoveOutcome;
      readonly address: NetworkAddress | undefined;
    }
  | { readonly kind: 'interfaceUp'; readonly networkInterface: NetworkInterface }
  | { readonly kind: 'interfaceDown'; readonly networkInterface: NetworkInterface };

/**
 * `answered`: as a stream or as a datagram service, be it that it is full. `refused`: neither, by somebody who is there. `skipped`: too many
 * were asked at the same time.
 */
export type ProbeOutcome = 'answered' | 'refused' | 'unanswered' | 'skipped';

/** What a controller asks of the stack. */
export type ServiceCommand =
  | { readonly kind: 'addRule'; readonly rule: ServiceRule }
  | { readonly kind: 'deleteRule'; readonly rule: RuleKey }
  | ({ readonly kind: 'modifyRule'; readonly rule: RuleKey } & RuleChange)
  /** Resolution passes the FORWARD rule over until it is readmitted or deleted; never the last of a prefix. */
  | { readonly kind: 'ejectRule'; readonly rule: RuleKey }
  | { readonly kind: 'readmitRule'; readonly rule: RuleKey; readonly wasWell?: boolean }
  /** How one rule of several is chosen for the services of a prefix; `undefined`: as for those around it. */
  | { readonly kind: 'setPicker'; readonly prefix: ServicePrefix; readonly picker: PickerName | undefined }
  /** Asks whether an instance takes connections; 'probed' tells. */
  | {
      readonly kind: 'probe';
      readonly serviceID: ServiceID;
      readonly address: NetworkAddress;
      readonly link: number;
      readonly timeout: Duration;
    }
  | { readonly kind: 'releaseDelayed'; readonly prefix: ServicePrefix }
  | { readonly kind: 'discardDelayed'; readonly prefix: ServicePrefix }
  /** This host is registered there: flows both of whose ends move meet there, too (§4.4). */
  | { readonly kind: 'setRouter'; readonly router: NetworkAddress }
  /** The process that sent from this address is known to be gone: fail its connections now. */
  | { readonly kind: 'peerGone'; readonly address: NetworkAddress }
  /** Established flows are to go another way (§4.4, §6.3): each as soon as its peer has answered there; 'migrationEnded' tells. */
  | { readonly kind: 'migrate'; readonly flows: FlowSelection; readonly to: MigrationTarget };

/** Why a flow stays where it is. */
export type MigrationRefusal =
  /** It is not established, or over. */
  | 'notConnected'
  /** The host has no such interface, or it is down. */
  | 'noInterface'
  /** The host does not have the address, or no longer. */
  | 'noAddress'
  /** The peer is not known to have an address of that family. */
  | 'noFamily';

/** `there`: it was already. */
export type FlowMoveOutcome = MigrationOutcome | MigrationRefusal | 'there';

/** Which flows a command means. */
export type FlowSelection =
  | { readonly by: 'flow'; readonly flowID: FlowID }
  /** Those to or of a service. */
  | { readonly by: 'service'; readonly prefix: ServicePrefix }
  | { readonly by: 'interface'; readonly interface: string }
  | { readonly by: 'address'; readonly address: NetworkAddress }
  /** Those whose address is gone, and that are not on their way to another. */
  | { readonly by: 'stranded' };
