// Which flows of a connection are for reserve (§4.4): each end may say so of a flow, as with MP_PRIO (RFC 8684 3.3.8), and
// what either says holds for both. It is said on the flow itself, in the flags of the numbered list of addresses, until
// the other end has said that it heard.

import type { Flow } from '../sal/flow';
import type { LocalInterfaces } from '../sal/local-interfaces';
import { FlowPriority, hasHeard, priorityFlags } from '../wire/flow-priority';
import type { NetworkAddress } from '../wire/network-address';

interface Priority {
  ours: boolean;
  theirs: boolean;
  /** Said by the application: its interface has no say in it any more. */
  isByHand: boolean;
  /** The peer has heard of ours, which the list of this number says at the earliest. */
  isHeard: boolean;
  toldNumber: number;
  /** Number of the peer's list that theirs was said in. */
  heardNumber: number;
}

export class FlowPriorities {
  private readonly known = new Map<Flow, Priority>();

  /** `backup`: names of the interfaces that are for reserve. */
  constructor(
    private readonly backup: readonly string[],
    private readonly interfaces: LocalInterfaces,
  ) {}

  isReserveAt(local: NetworkAddress | undefined): boolean {
    const name = this.backup.length === 0 || local === undefined ? undefined : this.interfaces.nameOf(local);
    return name !== undefined && this.backup.includes(name);
  }

  /** A flow that begins here, or by the peer's SYN, which says the same of it. */
  begin(flow: Flow, ours: boolean, theirs: boolean, isByHand = false): void {
    // The SYN says what its sender wants; what the other end wants follows in a list.
    this.known.set(flow, { ours, theirs, isByHand, isHeard: true, toldNumber: 0, heardNumber: 0 });
  }

  end(flow: Flow): void {
    this.known.delete(flow);
  }

  isReserve(flow: Flow): boolean {
    const priority = this.known.get(flow);
    return priority !== undefined && (priority.ours || priority.theirs);
  }

  /** What the next list on the flow says. */
  flagsOf(flow: Flow): number {
    const priority = this.known.get(flow);
    if (priority === undefined) return 0;
    return priorityFlags(priority.ours, priority.heardNumber);
  }

  /** True when the peer is to be told. */
  set(flow: Flow, ours: boolean, isByHand: boolean): boolean {
    const priority = this.known.get(flow);
    if (priority === undefined) return false;
    priority.isByHand ||= isByHand;
    if (priority.ours === ours) return false;
    priority.ours = ours;
    priority.isHeard = false;
    return true;
  }

  /** The flow goes by another interface. True when the peer is to be told. */
  handleMoved(flow: Flow): boolean {
    if (this.known.get(flow)?.isByHand !== false) return false;
    return this.set(flow, this.isReserveAt(flow.path?.local), false);
  }

  /** The next list on the flow, and those that repeat it, have at least this number. */
  handleTold(flow: Flow, number: number): void {
    const priority = this.known.get(flow);
    if (priority !== undefined) priority.toldNumber = number;
  }

  /** A list of the peer's on the flow. True when it says something new, which it wants to hear that we heard. */
  handleFlags(flow: Flow, number: number, flags: number): boolean {
    const priority = this.known.get(flow);
    if (priority === undefined) return false;
    // On this very flow: what comes by others says nothing of what we said here.
    if (hasHeard(flags, priority.toldNumber)) priority.isHeard = true;
    // An older list may come later.
    if (number <= priority.heardNumber) return false;
    priority.heardNumber = number;
    priority.theirs = (flags & FlowPriority.reserve) !== 0;
    return true;
  }

  /** Flows of which the peer has not heard what we want. */
  unheard(): Flow[] {
    return [...this.known].filter(([, { isHeard }]) => !isHeard).map(([flow]) => flow);
  }
}
