// A host at the edge of a lab: cables that can be put into networks of their own and pulled out again, all of which lead
// to one router of the lab.

import type { Impairment, Lab, LabHost } from './lab';

export type Families = readonly (4 | 6)[];

/** One interface of the host, and its addresses. */
export interface Cable {
  readonly networkInterface: string;
  readonly addresses: readonly string[];
}

let networks = 0;

export class Stub {
  private readonly plugged: Cable[] = [];

  constructor(
    private readonly lab: Lab,
    readonly host: LabHost,
    private readonly router: LabHost,
  ) {}

  get cables(): readonly Cable[] {
    return this.plugged;
  }

  /** Of the last cable: in that family, or in any. */
  address(family?: 4 | 6): string {
    const { addresses } = this.plugged.at(-1)!;
    return addresses.find((address) => family === undefined || address.includes(':') === (family === 6))!;
  }

  /** Whether the last cable has an address of that family. */
  has(family: 4 | 6): boolean {
    return this.plugged.at(-1)!.addresses.some((address) => address.includes(':') === (family === 6));
  }

  /** A network that was not there before, and the way to all others by it for what comes from its addresses. */
  plug(families: Families): Cable {
    const network = ++networks;
    // The router's end first, or the neighbour is asked for when it is not there yet, and again a second later.
    const name = this.lab.connect(this.router, ends(network, families, 1), this.host, ends(network, families, 2));
    return this.lead(network, families, name);
  }

  /** The same by a line with such properties. */
  async plugPoor(families: Families, line: Omit<Impairment, 'device'>): Promise<Cable> {
    const network = ++networks;
    const device = `poor${network}`;
    const [far, near] = [ends(network, families, 1), ends(network, families, 2)];
    await this.lab.relay(this.router, far, this.host, near, { ...line, device });
    return this.lead(network, families, device);
  }

  unplug(cable = this.plugged.at(-1)!): void {
    this.plugged.splice(this.plugged.indexOf(cable), 1);
    this.host.ip('link', 'delete', cable.networkInterface);
  }

  unplugAll(): void {
    for (const cable of [...this.plugged]) this.unplug(cable);
  }

  private lead(network: number, families: Families, networkInterface: string): Cable {
    const by = ['dev', networkInterface, 'metric', String(network)];
    const table = String(TABLE + network);
    for (const family of families) {
      const via = [`-${family}`, 'route', 'add', 'default', 'via', addressIn(network, family, 1)];
      this.host.ip(...via, ...by);
      this.host.ip(...via, ...by, 'table', table);
      this.host.ip(`-${family}`, 'rule', 'add', 'from', addressIn(network, family, 2), 'table', table);
    }
    const cable = { networkInterface, addresses: families.map((family) => addressIn(network, family, 2)) };
    this.plugged.push(cable);
    return cable;
  }
}

function addressIn(network: number, family: 4 | 6, host: number): string {
  return family === 4 ? `10.${20 + (network >> 8)}.${network & 0xff}.${host}` : `fd08:${network}::${host}`;
}

/** For the command that configures one end of a cable. */
function ends(network: number, families: Families, host: number): string[] {
  return families.map((family) => `${addressIn(network, family, host)}/${family === 4 ? 24 : 64}`);
}

/** Number of the first table of routes; those of the kernel are 253 to 255. */
const TABLE = 1000;
