// Flows that move by themselves (§4.4, §6.3): away from an interface that is gone, to a better one that has come up, and
// off a path that has fallen silent. It decides where to; that the peer is reached there is seen when a flow tries.

import { AUTOMATIC_MIGRATION_SETTLE } from '../../limits';
import type { FlowSelection, NetworkInterface, ServiceCommand, ServiceEvent } from '../../stack/control-interface';
import { after, type Instant, NEVER } from '../../time/instant';
import type { NetworkAddress } from '../../wire/network-address';
import { CommandQueue } from '../command-queue';
import type { ServiceController } from '../service-controller';

export interface AutomaticMigrationOptions {
  /** Names of interfaces, best first; a trailing `*` stands for the rest of a name. Others come behind, as they came up. */
  readonly prefer?: readonly string[];
}

/** Wires before radio, radio before cellular, by the names that Linux gives; what is virtual comes last. */
export const INTERFACE_PREFERENCE: readonly string[] = ['en*', 'eth*', 'wl*', 'ww*', 'rmnet*', 'ppp*', 'usb*'];

export class AutomaticMigration implements ServiceController {
  private readonly commands = new CommandQueue();
  private readonly prefer: readonly string[];
  /** One for each address that is up, as they came. */
  private interfaces: NetworkInterface[] = [];
  /** Interfaces that have come up since flows were last sent somewhere. */
  private arrived = new Set<string>();
  private hasLost = false;
  private settlesAt: Instant = NEVER;

  constructor({ prefer = INTERFACE_PREFERENCE }: AutomaticMigrationOptions = {}) {
    this.prefer = prefer;
  }

  handleEvent(event: ServiceEvent, now: Instant): void {
    if (event.kind === 'interfaceUp') this.handleUp(event.networkInterface, now);
    else if (event.kind === 'interfaceDown') this.handleDown(event.networkInterface, now);
    else if (event.kind === 'pathSilent') this.handleSilence({ by: 'flow', flowID: event.flowID }, event.address);
  }

  pollCommand(): ServiceCommand | undefined {
    return this.commands.poll();
  }

  nextDeadline(): Instant {
    return this.settlesAt;
  }

  handleDeadline(now: Instant): void {
    if (this.settlesAt > now) return;
    this.settlesAt = NEVER;
    const ranked = this.ranked();
    // Flows without an address take the best that they can: who cannot go to one asks for the next.
    if (this.hasLost) for (const name of ranked) this.move({ by: 'stranded' }, name);
    for (const name of ranked) if (this.arrived.has(name)) this.moveUp(name, ranked);
    this.arrived.clear();
    this.hasLost = false;
  }

  private handleUp(networkInterface: NetworkInterface, now: Instant): void {
    if (networkInterface.isLoopback) return;
    this.remove(networkInterface);
    this.interfaces.push(networkInterface);
    this.arrived.add(networkInterface.name);
    this.hasLost = true;
    this.settlesAt = after(now, AUTOMATIC_MIGRATION_SETTLE);
  }

  private handleDown(networkInterface: NetworkInterface, now: Instant): void {
    this.remove(networkInterface);
    this.hasLost = true;
    this.settlesAt = after(now, AUTOMATIC_MIGRATION_SETTLE);
  }

  /** The flow tries the interface behind the one that it has or has tried, and so comes to all of them. */
  private handleSilence(flow: FlowSelection, address: NetworkAddress | undefined): void {
    const ranked = this.ranked();
    const present = this.interfaces.find((each) => address !== undefined && each.address.sameIp(address))?.name;
    const next = ranked[(ranked.indexOf(present ?? '') + 1) % Math.max(ranked.length, 1)];
    if (next !== undefined && next !== present) this.move(flow, next);
  }

  /** From the worse ones to `name`; equals stay where they are. */
  private moveUp(name: string, ranked: readonly string[]): void {
    const rank = this.rankOf(name);
    for (const other of ranked) if (this.rankOf(other) > rank) this.move({ by: 'interface', interface: other }, name);
  }

  private move(flows: FlowSelection, to: string): void {
    this.commands.push({ kind: 'migrate', flows, to: { interface: to } });
  }

  /** Names of the interfaces that are up, best first. */
  private ranked(): string[] {
    const names = [...new Set(this.interfaces.map(({ name }) => name))];
    return names.sort((a, b) => this.rankOf(a) - this.rankOf(b));
  }

  private rankOf(name: string): number {
    const rank = this.prefer.findIndex((pattern) => matches(pattern, name));
    return rank < 0 ? this.prefer.length : rank;
  }

  private remove({ name, address }: NetworkInterface): void {
    this.interfaces = this.interfaces.filter((each) => each.name !== name || !each.address.sameIp(address));
  }
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
