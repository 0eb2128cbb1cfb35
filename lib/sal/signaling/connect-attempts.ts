// What one connect has learned of those who did not take it (§4.2: each SYN is resolved anew): where not to try
// again. Lists are short, as attempts are few.

import { CONNECT_ATTEMPTS_MAXIMUM } from '../../limits';
import type { AvoidedRules } from '../../table/choice';
import type { ResolvedRule } from '../../table/resolved-rule';
import { DETAIL_MAXIMUM } from '../../wire/control-extension';
import { NetworkAddress } from '../../wire/network-address';

export class ConnectAttempts implements AvoidedRules {
  /** Refusals by somebody who had refused before. */
  repeats = 0;
  /** The last refusal was one of somebody who is well, and has no place now. */
  wasFull = false;
  /** Next hops that refused themselves. */
  private readonly refused: NetworkAddress[] = [];
  /** Those of them that have no place now. */
  private readonly full: NetworkAddress[] = [];
  /** Next hops that did not answer; they may yet, and are tried again when nothing else is left. */
  private readonly silent: NetworkAddress[] = [];
  /** Who refused behind a router, or in answer to a broadcast. */
  private readonly refusers: NetworkAddress[] = [];

  constructor(
    /** SYNs that failed: refused ones, and such that nobody answered in time. */
    public failures = 0,
  ) {}

  /** What the SYN says of it. */
  get detail(): number {
    return Math.min(this.failures, DETAIL_MAXIMUM);
  }

  get isExhausted(): boolean {
    return this.failures >= CONNECT_ATTEMPTS_MAXIMUM;
  }

  /** Whether somebody has refused who is not a hop of ours. */
  get isRefused(): boolean {
    return this.refusers.length > 0;
  }

  avoids(rule: ResolvedRule): boolean {
    const address = addressOf(rule);
    return address !== undefined && (includes(this.refused, address) || includes(this.silent, address));
  }

  mayDo(rule: ResolvedRule): boolean {
    return !includes(this.refused, addressOf(rule)!);
  }

  addRefused(address: NetworkAddress): void {
    add(this.refused, address);
    if (this.wasFull) add(this.full, address);
  }

  /** Those that were full may have a place now. False when there is none of them. */
  forgiveFull(): boolean {
    const { full } = this;
    for (const address of full) remove(this.refused, address);
    return full.splice(0).length > 0;
  }

  addSilent(address: NetworkAddress): void {
    add(this.silent, address);
  }

  forgiveSilent(address: NetworkAddress): void {
    remove(this.silent, address);
  }

  /** Whether there was something to forget. */
  forgetSilent(): boolean {
    return this.silent.splice(0).length > 0;
  }

  /** Whether it is the first time. */
  addRefuser(address: NetworkAddress): boolean {
    return add(this.refusers, address);
  }
}

/** Where a SYN to a socket of this process goes. */
export const LOOPBACK_ADDRESS = NetworkAddress.parse('127.0.0.1')!;

function addressOf(rule: ResolvedRule): NetworkAddress | undefined {
  if (rule.action === 'demux') return LOOPBACK_ADDRESS;
  return rule.action === 'forward' ? rule.address : undefined;
}

function includes(list: readonly NetworkAddress[], address: NetworkAddress): boolean {
  return list.some((each) => each.equals(address));
}

function add(list: NetworkAddress[], address: NetworkAddress): boolean {
  if (includes(list, address)) return false;
  if (list.length < CONNECT_ATTEMPTS_MAXIMUM) list.push(address);
  return true;
}

function remove(list: NetworkAddress[], address: NetworkAddress): void {
  const at = list.findIndex((each) => each.equals(address));
  if (at >= 0) list.splice(at, 1);
}
