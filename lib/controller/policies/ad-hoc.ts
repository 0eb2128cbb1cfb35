// Ad hoc service access (§4.3): while an interface with a broadcast address is up, a default FORWARD rule
// points to that address (§4.2), so that two hosts on one segment find each other without configuration.
// IPv6 has no broadcast, and ff02::1 needs a scope that a NetworkAddress does not have: not asked here.

import type { NetworkInterface, ServiceCommand, ServiceEvent } from '../../stack/control-interface';
import { DEFAULT_RULE_PRIORITY, DEFAULT_RULE_WEIGHT, type ForwardRule } from '../../table/service-rule';
import type { Instant } from '../../time/instant';
import type { NetworkAddress } from '../../wire/network-address';
import { ServicePrefix } from '../../wire/service-id';
import { CommandQueue } from '../command-queue';
import type { ServiceController } from '../service-controller';

export interface AdHocOptions {
  /** Index of the link that broadcasts, as the stack numbered it. One policy a link. */
  readonly link: number;
  /** UDP port asked at the broadcast address; 0 on a link without ports. */
  readonly port: number;
}

export class AdHoc implements ServiceController {
  private readonly commands = new CommandQueue();
  /** Broadcast address of each interface address that is up, by name and address. */
  private readonly broadcasts = new Map<string, NetworkAddress>();

  constructor(private readonly options: AdHocOptions) {}

  handleEvent(event: ServiceEvent, _now: Instant): void {
    if (event.kind === 'interfaceUp') this.handleInterfaceUp(event.networkInterface);
    else if (event.kind === 'interfaceDown') this.remove(keyOf(event.networkInterface));
  }

  pollCommand(): ServiceCommand | undefined {
    return this.commands.poll();
  }

  private handleInterfaceUp(networkInterface: NetworkInterface): void {
    const key = keyOf(networkInterface);
    const broadcast = networkInterface.isLoopback ? undefined : networkInterface.broadcast?.withPort(this.options.port);
    const known = this.broadcasts.get(key);
    if (known !== undefined && broadcast?.equals(known)) return;
    const isNew = broadcast !== undefined && !this.isBroadcast(broadcast);
    // The new rule goes in before the old one goes out: a first packet in between still finds one.
    if (isNew) this.commands.push({ kind: 'addRule', rule: this.defaultRule(broadcast) });
    this.remove(key);
    if (broadcast !== undefined) this.broadcasts.set(key, broadcast);
  }

  private remove(key: string): void {
    const broadcast = this.broadcasts.get(key);
    if (broadcast === undefined) return;
    this.broadcasts.delete(key);
    // Two addresses of one subnet share the broadcast address, and so the rule.
    if (!this.isBroadcast(broadcast)) this.commands.push({ kind: 'deleteRule', rule: this.defaultRule(broadcast) });
  }

  private isBroadcast(address: NetworkAddress): boolean {
    for (const broadcast of this.broadcasts.values()) if (broadcast.equals(address)) return true;
    return false;
  }

  private defaultRule(address: NetworkAddress): ForwardRule {
    return {
      action: 'forward',
      prefix: ServicePrefix.any,
      address,
      link: this.options.link,
      broadcast: true,
      // Never for packets that came by broadcast themselves: that would be a storm.
      scope: 'network',
      // A service may be on any of the segments: each of them is asked (§4.2).
      selectAll: true,
      priority: DEFAULT_RULE_PRIORITY,
      weight: DEFAULT_RULE_WEIGHT,
    };
  }
}

function keyOf(networkInterface: NetworkInterface): string {
  return `${networkInterface.index} ${networkInterface.name} ${networkInterface.address}`;
}
