// The way to the service router above: while this process resolves for its host, what no other rule matches goes
// to that router instead of the broadcast address (§4.3).

import type { ServiceCommand, ServiceEvent } from '../../stack/control-interface';
import { DEFAULT_RULE_WEIGHT, type ForwardRule } from '../../table/service-rule';
import type { Instant } from '../../time/instant';
import type { NetworkAddress } from '../../wire/network-address';
import { ServicePrefix } from '../../wire/service-id';
import { CommandQueue } from '../command-queue';
import type { ServiceController } from '../service-controller';

/** Above the broadcast rule, below the way to the host's own resolver. */
export const UPSTREAM_PRIORITY = 100;

export class UpstreamRoute implements ServiceController {
  private readonly commands = new CommandQueue();
  private rule: ForwardRule | undefined;

  /** `link`: index of the link that first packets to an address leave by. */
  constructor(private readonly link: (address: NetworkAddress) => number) {}

  /**
   * The router that this process is to ask itself, `undefined` for none: the holder of a host does so, a member asks
   * the holder.
   */
  handleRouter(address: NetworkAddress | undefined): void {
    const former = this.rule;
    if (former === undefined ? address === undefined : address?.equals(former.address)) return;
    this.rule = address && this.ruleTo(address);
    // A first packet in between finds a rule.
    if (this.rule !== undefined) this.commands.push({ kind: 'addRule', rule: this.rule });
    if (former !== undefined) this.commands.push({ kind: 'deleteRule', rule: former });
  }

  /** The router answers again: the rule comes anew, and with it what found nobody there, at once. */
  handleReturned(): void {
    if (this.rule !== undefined) this.commands.push({ kind: 'addRule', rule: this.rule });
  }

  handleEvent(_event: ServiceEvent, _now: Instant): void {}

  pollCommand(): ServiceCommand | undefined {
    return this.commands.poll();
  }

  private ruleTo(address: NetworkAddress): ForwardRule {
    return {
      action: 'forward',
      prefix: ServicePrefix.any,
      address,
      link: this.link(address),
      broadcast: false,
      scope: 'network',
      priority: UPSTREAM_PRIORITY,
      weight: DEFAULT_RULE_WEIGHT,
    };
  }
}
