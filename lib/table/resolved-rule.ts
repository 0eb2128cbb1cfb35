// Rules as `ServiceTable.resolve` gives them: values read from the table's records, with the name of the record.
// They look like the rule that was added, but their prefix is made only when asked for, which a packet does not.

import type { NetworkAddress } from '../wire/network-address';
import type { ServicePrefix } from '../wire/service-id';
import type { RuleNumber } from './rule-records';
import type { DelayRule, DemuxRule, DropRule, ForwardRule, RuleScope } from './service-rule';

/** What a resolved rule needs of its table: throws when the rule is no longer there. */
export interface PrefixSource {
  prefixOf(rule: RuleIdentity): ServicePrefix;
}

/** Which record a rule was read from, so that a match is counted without a search. */
export interface RuleIdentity {
  readonly number: RuleNumber;
  readonly generation: number;
}

export type ResolvedRule = ResolvedForward | ResolvedDemux | ResolvedDelay | ResolvedDrop;

export class ResolvedForward implements ForwardRule, RuleIdentity {
  readonly action = 'forward';

  constructor(
    private readonly source: PrefixSource,
    readonly number: RuleNumber,
    readonly generation: number,
    readonly priority: number,
    readonly weight: number,
    readonly address: NetworkAddress,
    readonly link: number,
    readonly broadcast: boolean,
    readonly scope: RuleScope,
    readonly selectAll: boolean,
  ) {}

  get prefix(): ServicePrefix {
    return this.source.prefixOf(this);
  }
}

export class ResolvedDemux implements DemuxRule, RuleIdentity {
  readonly action = 'demux';

  constructor(
    private readonly source: PrefixSource,
    readonly number: RuleNumber,
    readonly generation: number,
    readonly priority: number,
    readonly weight: number,
    readonly protocol: 6 | 17,
    readonly socket: object,
  ) {}

  get prefix(): ServicePrefix {
    return this.source.prefixOf(this);
  }
}

export class ResolvedDelay implements DelayRule, RuleIdentity {
  readonly action = 'delay';

  constructor(
    private readonly source: PrefixSource,
    readonly number: RuleNumber,
    readonly generation: number,
    readonly priority: number,
    readonly weight: number,
    readonly scope: RuleScope,
  ) {}

  get prefix(): ServicePrefix {
    return this.source.prefixOf(this);
  }
}

export class ResolvedDrop implements DropRule, RuleIdentity {
  readonly action = 'drop';

  constructor(
    private readonly source: PrefixSource,
    readonly number: RuleNumber,
    readonly generation: number,
    readonly priority: number,
    readonly weight: number,
    readonly refuses: boolean,
  ) {}

  get prefix(): ServicePrefix {
    return this.source.prefixOf(this);
  }
}
