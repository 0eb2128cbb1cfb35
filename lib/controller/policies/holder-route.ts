// How a process reaches the resolver of its host: a default FORWARD rule to the holder of the well-known
// port. While no holder is known, first packets wait behind a DELAY rule (§4.2, §4.3) instead of going to
// places where a service of this host could not be found.

import type { ServiceCommand, ServiceEvent } from '../../stack/control-interface';
import { DEFAULT_RULE_WEIGHT, type DelayRule, type ForwardRule } from '../../table/service-rule';
import type { Instant } from '../../time/instant';
import type { NetworkAddress } from '../../wire/network-address';
import { ServicePrefix } from '../../wire/service-id';
import { CommandQueue } from '../command-queue';
import type { ServiceController } from '../service-controller';

/** Above every other default rule: a member leaves the choice between those to the holder. */
export const HOLDER_PRIORITY = 200;
export const SEEKING_PRIORITY = 300;

const DELAY_RULE: DelayRule = {
  action: 'delay',
  prefix: ServicePrefix.any,
  priority: SEEKING_PRIORITY,
  weight: DEFAULT_RULE_WEIGHT,
};

export class HolderRoute implements ServiceController {
  private readonly commands = new CommandQueue();
  private seeking = false;
  private holder: NetworkAddress | undefined;

  constructor(private readonly link: number) {}

  /** The holder is not known, or no more: wait for the next one. */
  handleSeeking(): void {
    if (!this.seeking) this.commands.push({ kind: 'addRule', rule: DELAY_RULE });
    this.seeking = true;
    this.replace(undefined);
  }

  /** First packets go to `address` from now on. */
  handleHolder(address: NetworkAddress): void {
    this.replace(address);
    this.stopSeeking();
  }

  /** Nobody is to be asked: this process is the holder, or there is none to be found. */
  handleNoHolder(): void {
    this.replace(undefined);
    this.stopSeeking();
  }

  /** Whom first packets go to that nothing here is known of; `undefined` while that is nobody else. */
  get address(): NetworkAddress | undefined {
    return this.holder;
  }

  /** Somebody offers `prefix` now, and has a rule: what asks for it waits no longer. */
  handleOffered(prefix: ServicePrefix): void {
    if (this.seeking) this.commands.push({ kind: 'releaseDelayed', prefix });
  }

  handleEvent(_event: ServiceEvent, _now: Instant): void {}

  pollCommand(): ServiceCommand | undefined {
    return this.commands.poll();
  }

  private replace(address: NetworkAddress | undefined): void {
    const former = this.holder;
    if (former === address || (former !== undefined && address?.equals(former))) return;
    this.holder = address;
    if (address !== undefined) this.commands.push({ kind: 'addRule', rule: this.holderRule(address) });
    if (former !== undefined) this.commands.push({ kind: 'deleteRule', rule: this.holderRule(former) });
  }

  private stopSeeking(): void {
    if (!this.seeking) return;
    this.seeking = false;
    this.commands.push({ kind: 'deleteRule', rule: DELAY_RULE });
    this.commands.push({ kind: 'releaseDelayed', prefix: ServicePrefix.any });
  }

  private holderRule(address: NetworkAddress): ForwardRule {
    return {
      action: 'forward',
      prefix: ServicePrefix.any,
      address,
      link: this.link,
      broadcast: false,
      // What came by broadcast reached the holder too: members never pass it on.
      scope: 'network',
      priority: HOLDER_PRIORITY,
      weight: DEFAULT_RULE_WEIGHT,
    };
  }
}
