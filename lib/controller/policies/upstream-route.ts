// The configured service router: while this process resolves for its host, what no other rule matches goes
// to that router instead of the broadcast address (§4.3, hierarchical access with one level).

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
  private readonly rule: ForwardRule;
  private active = false;

  constructor(router: NetworkAddress, link: number) {
    this.rule = {
      action: 'forward',
      prefix: ServicePrefix.any,
      address: router,
      link,
      broadcast: false,
      scope: 'network',
      priority: UPSTREAM_PRIORITY,
      weight: DEFAULT_RULE_WEIGHT,
    };
  }

  /** Whether this process is to ask the router itself: the holder does, a member asks the holder. */
  handleActive(active: boolean): void {
    if (active === this.active) return;
    this.active = active;
    this.commands.push(active ? { kind: 'addRule', rule: this.rule } : { kind: 'deleteRule', rule: this.rule });
  }

  handleEvent(_event: ServiceEvent, _now: Instant): void {}

  pollCommand(): ServiceCommand | undefined {
    return this.commands.poll();
  }
}
