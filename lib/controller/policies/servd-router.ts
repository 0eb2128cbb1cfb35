// The router's side of the original's registrations (wire format §13): hosts say by datagram what they offer, and say
// it again every 20 s. There is no proof in it of who speaks: it is for networks of original hosts, when switched on.

import type { ServiceCommand, ServiceEvent } from '../../stack/control-interface';
import { DEFAULT_RULE_WEIGHT, type ForwardRule } from '../../table/service-rule';
import { type Instant, NEVER } from '../../time/instant';
import type { NetworkAddress } from '../../wire/network-address';
import { parseServdMessage, SERVD_ROUTER, type ServdMessage } from '../../wire/servd-message';
import type { ServicePrefix } from '../../wire/service-id';
import { CommandQueue } from '../command-queue';
import type { ServiceController } from '../service-controller';
import { SERVD_EXPIRY, SERVD_REGISTRATIONS_MAXIMUM, SERVD_REGISTRATIONS_PER_HOST_MAXIMUM } from './discovery-limits';

/** Above the default ways, below what registers by acknowledged sessions. */
export const SERVD_PRIORITY = 1000;

/** How a registration came, as far as it matters here. */
export interface ServdSource {
  readonly address: NetworkAddress;
  readonly link: number;
  readonly way: 'direct' | 'broadcast' | 'forwarded';
}

export class ServdRouter implements ServiceController {
  readonly serviceID = SERVD_ROUTER;
  readonly counts = { registered: 0, unregistered: 0, refused: 0, malformed: 0 };
  private readonly commands = new CommandQueue();
  /** Prefixes of each host, by its address. */
  private readonly hosts = new Map<string, Map<string, ServicePrefix>>();
  private size = 0;

  /** `link`: the one without ports that original hosts are on. */
  constructor(private readonly link: number) {}

  handleEvent(event: ServiceEvent, _now: Instant): void {
    if (event.kind !== 'ruleExpired' || event.rule.action !== 'forward' || event.rule.link !== this.link) return;
    if (event.rule.priority === SERVD_PRIORITY) this.forget(event.rule.address, event.rule.prefix);
  }

  handleMessage(bytes: Uint8Array, { address, link, way }: ServdSource, _now: Instant): void {
    // A router on the way could have written anybody's address: the original registers who sent the packet.
    if (link !== this.link || way === 'forwarded' || address.family !== 4) return;
    const message = parseServdMessage(bytes);
    if (message === undefined) this.counts.malformed++;
    else if (message.kind === 'unregister') this.unregister(address, message.prefix);
    else this.register(address, message);
  }

  pollCommand(): ServiceCommand | undefined {
    return this.commands.poll();
  }

  /** It answers nobody. */
  pollMessage(): undefined {
    return undefined;
  }

  /** Registrations end with their rules. */
  nextDeadline(): Instant {
    return NEVER;
  }

  handleDeadline(_now: Instant): void {}

  private register(address: NetworkAddress, { prefix, isRepeated, formerAddress }: ServdMessage): void {
    // Everything, or the router itself, is nobody's to offer.
    if (prefix.base.isZero || prefix.contains(SERVD_ROUTER) || !this.remember(address, prefix)) {
      this.counts.refused++;
      return;
    }
    this.counts.registered++;
    // The same rule anew: its time begins again.
    this.commands.push({ kind: 'addRule', rule: this.rule(prefix, address) });
    if (isRepeated && formerAddress !== undefined && !formerAddress.sameIp(address)) {
      this.unregister(formerAddress, prefix);
    }
  }

  private unregister(address: NetworkAddress, prefix: ServicePrefix): void {
    if (!this.forget(address, prefix)) return;
    this.counts.unregistered++;
    this.commands.push({ kind: 'deleteRule', rule: this.rule(prefix, address) });
  }

  private remember(address: NetworkAddress, prefix: ServicePrefix): boolean {
    const prefixes = this.hosts.get(address.ip) ?? new Map<string, ServicePrefix>();
    if (prefixes.has(prefix.toString())) return true;
    if (this.size >= SERVD_REGISTRATIONS_MAXIMUM) return false;
    if (prefixes.size >= SERVD_REGISTRATIONS_PER_HOST_MAXIMUM) return false;
    this.hosts.set(address.ip, prefixes.set(prefix.toString(), prefix));
    this.size++;
    return true;
  }

  private forget(address: NetworkAddress, prefix: ServicePrefix): boolean {
    const prefixes = this.hosts.get(address.ip);
    if (prefixes?.delete(prefix.toString()) !== true) return false;
    if (prefixes.size === 0) this.hosts.delete(address.ip);
    this.size--;
    return true;
  }

  private rule(prefix: ServicePrefix, address: NetworkAddress): ForwardRule {
    return {
      action: 'forward',
      prefix,
      address: address.withPort(0),
      link: this.link,
      broadcast: false,
      scope: 'network',
      priority: SERVD_PRIORITY,
      weight: DEFAULT_RULE_WEIGHT,
      hardTimeout: SERVD_EXPIRY,
    };
  }
}
