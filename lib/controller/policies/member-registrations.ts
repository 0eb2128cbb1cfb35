// What others have registered here becomes FORWARD rules: the holder's for the other processes of its host, a
// router's for the hosts below it. They have the priority of a local socket's DEMUX rule, so that all instances of a
// serviceID share its load. How registrations travel is host/'s matter, and that of session/.

import type { ServiceCommand, ServiceEvent, TransportProtocol } from '../../stack/control-interface';
import { DEFAULT_RULE_PRIORITY, DEMUX_PRIORITY, type ForwardRule, type RuleScope } from '../../table/service-rule';
import type { Instant } from '../../time/instant';
import type { NetworkAddress } from '../../wire/network-address';
import type { ServicePrefix } from '../../wire/service-id';
import { CommandQueue } from '../command-queue';
import type { ServiceController, ServiceInstance } from '../service-controller';
import type { RegisteredTerms } from '../session/session-message';

/** One rule: a prefix at an address, for one or both protocols. */
interface Registration {
  readonly prefix: ServicePrefix;
  readonly terms: Map<TransportProtocol, RegisteredTerms>;
}

export class MemberRegistrations implements ServiceController {
  private readonly commands = new CommandQueue();
  /** By address, then by prefix. */
  private readonly members = new Map<string, Map<string, Registration>>();

  /** `scope`: `host` where packets that came by broadcast are for those instances as well. */
  constructor(
    private readonly link: (address: NetworkAddress) => number,
    private readonly scope: RuleScope,
  ) {}

  handleRegistered(instance: ServiceInstance): void {
    const registrations = this.registrationsOf(instance.address);
    const key = instance.prefix.toString();
    const known = registrations.get(key);
    if (known === undefined || known.terms.size === 0) {
      registrations.set(key, { prefix: instance.prefix, terms: new Map([[instance.protocol, instance]]) });
      this.commands.push({ kind: 'addRule', rule: this.rule(instance.prefix, instance.address, instance) });
      return;
    }
    const former = termsOf(known);
    known.terms.set(instance.protocol, instance);
    this.changeTerms(known, instance.address, former);
  }

  handleUnregistered(instance: Omit<ServiceInstance, 'weight'>): void {
    const registrations = this.members.get(instance.address.toString());
    const key = instance.prefix.toString();
    const known = registrations?.get(key);
    if (registrations === undefined || known === undefined) return;
    const former = termsOf(known);
    // One that was withdrawn has none left, and its rule yet.
    if (known.terms.size > 0 && !known.terms.delete(instance.protocol)) return;
    if (known.terms.size > 0) return this.changeTerms(known, instance.address, former);
    registrations.delete(key);
    if (registrations.size === 0) this.members.delete(instance.address.toString());
    this.deleteRule(known, instance.address);
  }

  /**
   * Its socket takes nobody for now: it is asked only where nobody else is left, and says that it is full. A search by
   * broadcast then ends soon.
   */
  handleWithdrawn(instance: Omit<ServiceInstance, 'weight'>): void {
    const known = this.members.get(instance.address.toString())?.get(instance.prefix.toString());
    if (known === undefined || known.terms.size > 1) return this.handleUnregistered(instance);
    if (!known.terms.delete(instance.protocol)) return;
    const rule = this.rule(known.prefix, instance.address, { weight: 1 });
    this.commands.push({ kind: 'modifyRule', rule, priority: DEFAULT_RULE_PRIORITY });
  }

  /** The member at `address` ended, or its connection did: all it registered goes. */
  handleMemberGone(address: NetworkAddress): void {
    const registrations = this.members.get(address.toString());
    if (registrations === undefined) return;
    this.members.delete(address.toString());
    for (const registration of registrations.values()) this.deleteRule(registration, address);
  }

  handleEvent(_event: ServiceEvent, _now: Instant): void {}

  pollCommand(): ServiceCommand | undefined {
    return this.commands.poll();
  }

  private registrationsOf(address: NetworkAddress): Map<string, Registration> {
    const key = address.toString();
    const registrations = this.members.get(key) ?? new Map<string, Registration>();
    this.members.set(key, registrations);
    return registrations;
  }

  private changeTerms(registration: Registration, address: NetworkAddress, former: RegisteredTerms): void {
    const { weight, picker } = termsOf(registration);
    const change = {
      ...(weight === former.weight ? {} : { weight }),
      ...(picker === former.picker ? {} : { picker: picker ?? null }),
    };
    if (Object.keys(change).length === 0) return;
    this.commands.push({ kind: 'modifyRule', rule: this.rule(registration.prefix, address, former), ...change });
  }

  private deleteRule(registration: Registration, address: NetworkAddress): void {
    this.commands.push({ kind: 'deleteRule', rule: this.rule(registration.prefix, address, { weight: 1 }) });
  }

  private rule(prefix: ServicePrefix, address: NetworkAddress, { weight, picker }: RegisteredTerms): ForwardRule {
    return {
      action: 'forward',
      prefix,
      address,
      link: this.link(address),
      broadcast: false,
      scope: this.scope,
      priority: DEMUX_PRIORITY,
      weight,
      ...(picker === undefined ? {} : { picker }),
    };
  }
}

/** A FORWARD rule serves both protocols: the larger weight counts, and the wish of streams before that of datagrams. */
function termsOf({ terms }: Registration): RegisteredTerms {
  const weight = Math.max(...Array.from(terms.values(), (each) => each.weight));
  return { weight, picker: terms.get(6)?.picker ?? terms.get(17)?.picker };
}
