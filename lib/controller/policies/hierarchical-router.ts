// What a service router does with registrations (§4.2, §4.3): each becomes a FORWARD rule to where it came from, and
// is announced to the router above, if there is one. A router that has just started keeps what it does not know yet
// until its hosts had the time to come back: nobody is refused because of a restart.

import type { ServiceCommand, ServiceEvent } from '../../stack/control-interface';
import type { PickerName } from '../../table/pickers/picker-names';
import { DEFAULT_RULE_PRIORITY, DEFAULT_RULE_WEIGHT, type DelayRule, type DropRule } from '../../table/service-rule';
import { after, earlier, type Instant, NEVER } from '../../time/instant';
import type { NetworkAddress } from '../../wire/network-address';
import { ServiceID, ServicePrefix } from '../../wire/service-id';
import { CommandQueue } from '../command-queue';
import type { ServiceController } from '../service-controller';
import { HeldAnswers } from '../session/held-answers';
import { keyOf, type RegisteredName } from '../session/message-fields';
import { type RegisteredInstance, Registrar } from '../session/registrar';
import { SESSION_LEASE } from '../session/session-limits';
import type { Hierarchical } from './hierarchical';
import { SEEKING_PRIORITY } from './holder-route';
import { MemberRegistrations } from './member-registrations';
import { Partition, type PartitionOptions } from './partition';

export interface HierarchicalRouterOptions {
  readonly identity: string;
  /** UDP port at which this router takes first packets; 0 on a link without ports. */
  readonly port: () => number;
  /** Index of the link that first packets to an address leave by. */
  readonly link: (address: NetworkAddress) => number;
  /** Towards the router above. Its paths go to `setPath`. */
  readonly upstream?: Hierarchical | undefined;
  /** What the router above is told of instead of what lies under it. */
  readonly aggregates?: readonly ServicePrefix[];
  readonly partitions?: readonly PartitionChoice[];
}

/** How one of the instances of a service is chosen. */
export interface PickerChoice {
  readonly prefix: ServicePrefix;
  readonly picker: PickerName;
}

/** Into how many parts a prefix is cut (§6.2). */
export type PartitionChoice = Omit<PartitionOptions, 'link'>;

export class HierarchicalRouter implements ServiceController {
  readonly registrar: Registrar;
  private readonly commands = new CommandQueue();
  private readonly rules: MemberRegistrations;
  private readonly partitions: readonly Partition[];
  /** To hosts whose registration is not known further up yet. */
  private readonly held = new HeldAnswers();
  private settledAt = NEVER;

  constructor(private readonly options: HierarchicalRouterOptions) {
    const { link, partitions = [] } = options;
    this.rules = new MemberRegistrations(link, 'network');
    this.partitions = partitions.map((choice) => new Partition({ ...choice, link }));
    this.registrar = new Registrar(options, {
      registered: (instance) => this.handleRegistered(instance),
      unregistered: (instance) => this.handleUnregistered(instance),
      confirm: (instance, answer, now) => this.confirm(instance, answer, now),
    });
  }

  /** First packets are received from now on. */
  start(now: Instant): void {
    this.settledAt = after(now, SESSION_LEASE);
    for (const rule of DELAY_RULES) this.commands.push({ kind: 'addRule', rule });
    this.options.upstream?.start(now, false);
  }

  /** The router above knows what is announced so; or, without a name, it is not to be waited for. */
  handleAcknowledged(announced?: RegisteredName): void {
    if (announced === undefined) this.held.releaseAll();
    else this.held.release(keyOf(announced.prefix, announced.protocol));
  }

  setPath(path: readonly string[], now: Instant): void {
    this.registrar.setPath(path, now);
  }

  /** Says goodbye to both sides. */
  close(): void {
    this.registrar.close();
    this.options.upstream?.stop();
  }

  // ---- ServiceController ----

  handleEvent(event: ServiceEvent, now: Instant): void {
    this.options.upstream?.handleEvent(event, now);
    if (event.kind === 'registered') this.release(event.prefix);
  }

  pollCommand(): ServiceCommand | undefined {
    const command = this.rules.pollCommand() ?? this.pollPartitions();
    return command ?? this.options.upstream?.pollCommand() ?? this.commands.poll();
  }

  nextDeadline(): Instant {
    const own = earlier(earlier(this.settledAt, this.held.nextDeadline()), this.registrar.nextDeadline());
    return earlier(own, this.options.upstream?.nextDeadline() ?? NEVER);
  }

  handleDeadline(now: Instant): void {
    this.registrar.handleDeadline(now);
    this.held.handleDeadline(now);
    this.options.upstream?.handleDeadline(now);
    if (this.settledAt <= now) this.settle();
  }

  private settle(): void {
    this.settledAt = NEVER;
    for (const prefix of this.options.aggregates ?? [])
      this.commands.push({ kind: 'addRule', rule: unknownUnder(prefix) });
    for (const rule of DELAY_RULES) this.commands.push({ kind: 'deleteRule', rule });
    this.commands.push({ kind: 'releaseDelayed', prefix: ServicePrefix.any });
    this.options.upstream?.complete();
  }

  private handleRegistered(instance: RegisteredInstance): void {
    this.rules.handleRegistered(instance);
    for (const partition of this.partitions) partition.handleRegistered(instance);
    this.options.upstream?.handleRegistered(instance);
    this.release(instance.prefix);
  }

  /** A host hears that it is registered when the router above knows it, too: its clients may be anywhere. */
  private confirm({ prefix, protocol }: RegisteredInstance, answer: () => void, now: Instant): void {
    const { upstream } = this.options;
    if (upstream === undefined || upstream.isKnownUpstream(prefix, protocol) || upstream.patience(now) <= now) answer();
    else this.held.hold(keyOf(upstream.announcedAs(prefix), protocol), answer, now);
  }

  private handleUnregistered(instance: RegisteredInstance): void {
    this.rules.handleUnregistered(instance);
    for (const partition of this.partitions) partition.handleUnregistered(instance);
    this.options.upstream?.handleUnregistered(instance);
  }

  private pollPartitions(): ServiceCommand | undefined {
    for (const partition of this.partitions) {
      const command = partition.pollCommand();
      if (command !== undefined) return command;
    }
    return undefined;
  }

  /** Somebody offers `prefix` now, and has a rule: what waits for it waits no longer. */
  release(prefix: ServicePrefix): void {
    if (this.settledAt !== NEVER) this.commands.push({ kind: 'releaseDelayed', prefix });
  }
}

/** The two halves of all names: longer than every default prefix, shorter than any other that is registered. */
const DELAY_RULES: readonly DelayRule[] = [0, 0x8000_0000].map((word) => ({
  action: 'delay',
  prefix: ServicePrefix.of(ServiceID.fromWords([word, 0, 0, 0, 0, 0, 0, 0]), 1),
  priority: SEEKING_PRIORITY,
  weight: DEFAULT_RULE_WEIGHT,
}));

/**
 * What lies under an aggregate and is not registered here is nobody's: the router above, which was told that all of it
 * is here, would send it back.
 */
function unknownUnder(prefix: ServicePrefix): DropRule {
  return { action: 'drop', prefix, refuses: true, priority: DEFAULT_RULE_PRIORITY, weight: DEFAULT_RULE_WEIGHT };
}
