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
import type { FlowMoveOutcome, FlowSelection, MigrationRefusal } from './control-interface';

export class FlowMobility {
  readonly interfaces: LocalInterfaces;

  /** `ended` is told what has become of each flow that was to move. */
  constructor(
    private readonly sal: ServiceAccessLayer,
    private readonly ended: (flow: Flow, outcome: FlowMoveOutcome) => void,
  ) {
    this.interfaces = sal.interfaces;
  }

  handleInterfaceUp(networkInterface: NetworkInterface, now: Instant): void {
    this.interfaces.handleUp(networkInterface);
    // The same address is there again before the flow has found another: its peer hears so at once.
    for (const flow of this.flowsAt(networkInterface.address)) {
      if (flow.isCut && !flow.isMoving) this.start(flow, flow.path!, now);
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

  /** Moves the flows of `selection` that can go there, and tells of the others why not. */
  migrateAll(selection: FlowSelection, target: MigrationTarget, now: Instant): void {
    for (const flow of this.select(selection)) {
      const answer = this.migrate(flow, target, now);
      if (answer === undefined) continue;
      if (answer !== 'settled') this.sal.count(`migration ${answer}`);
      this.ended(flow, answer === 'settled' ? 'there' : answer);
    }
  }

  /** The flow goes there when the peer has answered; 'settled' when it is there. From where it was to go it is called back. */
  migrate(flow: Flow, target: MigrationTarget, now: Instant): MigrationRefusal | 'settled' | undefined {
    if (!flow.canMigrate) return 'notConnected';
    const addresses = this.interfaces.addressesOf(target);
    if (addresses.length === 0) return target.address === undefined ? 'noInterface' : 'noAddress';
    const { local, link } = flow.path!;
    const isHere = local !== undefined && addresses.some((each) => each.sameIp(local));
    if (isHere && !flow.isCut && !flow.isMoving) return 'settled';
    const route = this.routeOf(flow, addresses);
    if (route === undefined) return 'noFamily';
    this.start(flow, this.sal.pathOf(link, route.local, route.remote), now);
    return undefined;
  }

  /** The flows that can move, or one by its flowID whatever its state. */
  select(selection: FlowSelection): readonly Flow[] {
    const { flowTable } = this.sal;
    if (selection.by !== 'flow') {
      return [...flowTable.values()].filter((flow) => flow.canMigrate && this.isSelected(flow, selection));
    }
    const flow = flowTable.get(selection.flowID);
    return flow === undefined ? [] : [flow];
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

  private isSelected(flow: Flow, selection: Exclude<FlowSelection, { by: 'flow' }>): boolean {
    const { local } = flow.path!;
    switch (selection.by) {
      case 'service':
        return flow.service !== undefined && selection.prefix.contains(flow.service);
      case 'address':
        return local?.sameIp(selection.address) === true;
      case 'interface':
        return local !== undefined && this.interfaces.nameOf(local) === selection.interface;
      case 'stranded':
        return flow.isCut && !flow.isMoving;
    }
  }

  private flowsAt(address: NetworkAddress): Flow[] {
    return [...this.sal.flowTable.values()].filter(({ path }) => path?.local?.sameIp(address) === true);
  }
}
