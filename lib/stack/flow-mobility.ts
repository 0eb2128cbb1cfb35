// Which of a host's flows move, and where to (§4.4): by the word of an application or of a controller, and because
// their address is gone. How a flow moves stands in sal/signaling/migration.ts.

import type { Flow } from '../sal/flow';
import type { NetworkInterface } from '../sal/link-properties';
import type { LocalInterfaces, MigrationTarget } from '../sal/local-interfaces';
import type { Path } from '../sal/path';
import type { ServiceAccessLayer } from '../sal/service-access-layer';
import { abandonMove, cutPath, startMigration } from '../sal/signaling/migration';
import type { Instant } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import type { FlowSelection } from './control-interface';

/** Why a flow stays where it is. */
export type MigrationRefusal =
  /** It is not established, or over. */
  | 'notConnected'
  /** The host has no such interface, or it is down. */
  | 'noInterface'
  /** The host does not have the address. */
  | 'noAddress'
  /** The peer is not known to have an address of that family. */
  | 'noFamily';

export class FlowMobility {
  readonly interfaces: LocalInterfaces;

  constructor(private readonly sal: ServiceAccessLayer) {
    this.interfaces = sal.interfaces;
  }

  handleInterfaceUp(networkInterface: NetworkInterface, now: Instant): void {
    this.interfaces.handleUp(networkInterface);
    // The same address is there again before the flow has found another: its peer hears so at once.
    for (const flow of this.flowsAt(networkInterface.address)) {
      if (flow.isCut && flow.migration?.own === undefined) this.start(flow, flow.path!, now);
    }
  }

  handleInterfaceDown(networkInterface: NetworkInterface, now: Instant): void {
    const { address } = networkInterface;
    this.interfaces.handleDown(networkInterface);
    if (this.interfaces.has(address)) return;
    for (const flow of this.flowsAt(address)) cutPath(this.sal, flow, now);
    for (const flow of this.sal.flowTable.values()) {
      if (flow.migration?.own?.path.local?.sameIp(address) === true) abandonMove(this.sal, flow, now);
    }
  }

  /** Moves every flow of `selection` that can go there. Returns how many. */
  migrateAll(selection: FlowSelection, target: MigrationTarget, now: Instant): number {
    let count = 0;
    for (const flow of [...this.sal.flowTable.values()]) {
      if (!flow.canMigrate || !this.isSelected(flow, selection)) continue;
      const refusal = this.migrate(flow, target, now);
      if (refusal === undefined) count++;
      else this.sal.count(`migration ${refusal}`);
    }
    return count;
  }

  /** The flow goes there when the peer has answered; at once when it is there. */
  migrate(flow: Flow, target: MigrationTarget, now: Instant): MigrationRefusal | undefined {
    if (!flow.canMigrate) return 'notConnected';
    const addresses = this.interfaces.addressesOf(target);
    if (addresses.length === 0) return target.address === undefined ? 'noInterface' : 'noAddress';
    const { local, link } = flow.path!;
    if (!flow.isCut && local !== undefined && addresses.some((each) => each.sameIp(local))) return undefined;
    const route = this.routeOf(flow, addresses);
    if (route === undefined) return 'noFamily';
    this.start(flow, this.sal.pathOf(link, route.local, route.remote), now);
    return undefined;
  }

  private start(flow: Flow, path: Path, now: Instant): void {
    startMigration(this.sal, flow, path, this.sal.links.at(path.link), now);
  }

  /** The family in use, if it has one of our addresses; else one that the peer has told an address of. */
  private routeOf(
    flow: Flow,
    addresses: readonly NetworkAddress[],
  ): { local: NetworkAddress; remote: NetworkAddress } | undefined {
    for (const remote of [flow.path!.remote, ...(flow.peerAddresses ?? [])]) {
      const local = addresses.find((each) => each.family === remote.family && each.isLoopback === remote.isLoopback);
      if (local !== undefined) return { local, remote };
    }
    return undefined;
  }

  private isSelected(flow: Flow, selection: FlowSelection): boolean {
    const { local } = flow.path!;
    switch (selection.by) {
      case 'flow':
        return flow.localFlowID === selection.flowID;
      case 'service':
        return flow.service !== undefined && selection.prefix.contains(flow.service);
      case 'address':
        return local?.sameIp(selection.address) === true;
      case 'interface':
        return local !== undefined && this.interfaces.nameOf(local) === selection.interface;
      case 'stranded':
        return flow.isCut && flow.migration?.own === undefined;
    }
  }

  private flowsAt(address: NetworkAddress): Flow[] {
    return [...this.sal.flowTable.values()].filter(({ path }) => path?.local?.sameIp(address) === true);
  }
}
