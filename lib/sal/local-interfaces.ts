// The addresses of this host, as the stack was told of them last: where a flow may move to, and whether the address
// that it uses is still there (§4.4).

import type { AddressExtension } from '../wire/address-extension';
import { controlSequence } from '../wire/control-extension';
import type { AddressFamily, NetworkAddress } from '../wire/network-address';
import type { NetworkInterface } from './link-properties';

/** Where a flow is to go: an interface by its name, or one address. */
export interface MigrationTarget {
  readonly interface?: string | undefined;
  readonly address?: NetworkAddress | undefined;
}

export class LocalInterfaces {
  private entries: NetworkInterface[] = [];
  /** By family; made when they are asked for. */
  private others = new Map<AddressFamily, AddressExtension | undefined>();

  handleUp(networkInterface: NetworkInterface): void {
    this.handleDown(networkInterface);
    this.entries.push(networkInterface);
    this.others.clear();
  }

  handleDown(networkInterface: NetworkInterface): void {
    this.entries = this.entries.filter((each) => !isSame(each, networkInterface));
    this.others.clear();
  }

  /** All that may be reached from elsewhere. */
  reachable(): NetworkAddress[] {
    const reachable = this.entries.filter(({ address, isLoopback }) => !isLoopback && !isLinkLocal(address));
    return reachable.map(({ address }) => address.withPort(0));
  }

  /** The same, but of each interface one address: of that family, if it has one. */
  reachableBy(family: AddressFamily): NetworkAddress[] {
    const byInterface = new Map<number, NetworkAddress>();
    for (const { address, index, isLoopback } of this.entries) {
      if (isLoopback || isLinkLocal(address)) continue;
      if (!byInterface.has(index) || address.family === family) byInterface.set(index, address.withPort(0));
    }
    return [...byInterface.values()];
  }

  has(address: NetworkAddress): boolean {
    return this.entries.some((each) => each.address.sameIp(address));
  }

  /** Name of the interface that has the address. */
  nameOf(address: NetworkAddress): string | undefined {
    return this.entries.find((each) => each.address.sameIp(address))?.name;
  }

  /** What a peer in `family` may be told of the other one: one address, where there is one. */
  alternativesTo(family: AddressFamily): AddressExtension | undefined {
    if (!this.others.has(family)) this.others.set(family, this.findOther(family));
    return this.others.get(family);
  }

  private findOther(family: AddressFamily): AddressExtension | undefined {
    const isOther = ({ address, isLoopback }: NetworkInterface): boolean =>
      address.family !== family && !isLoopback && !isLinkLocal(address);
    const other = this.entries.find(isOther);
    return other === undefined ? undefined : { ...UNNUMBERED, addresses: [other.address.withPort(0)] };
  }

  /** The addresses that `target` may mean, those of the longest reach first. */
  addressesOf({ interface: name, address }: MigrationTarget): NetworkAddress[] {
    const matching = this.entries.filter((each) => {
      if (address !== undefined) return each.address.sameIp(address);
      return each.name === name && !isLinkLocal(each.address);
    });
    return matching.map((each) => each.address.withPort(0));
  }
}

/** No list of those that are numbered and replace each other: it is told with the packets of a handshake and a move. */
export const UNNUMBERED = { controlSequence: controlSequence(0), controlAck: controlSequence(0) } as const;

/** Without a zone, which an address here does not have, nobody can be reached from one. */
function isLinkLocal({ family, word0 }: NetworkAddress): boolean {
  return family === 6 && word0 >>> 22 === 0x3fa;
}

function isSame(a: NetworkInterface, b: NetworkInterface): boolean {
  return a.name === b.name && a.index === b.index && a.address.sameIp(b.address);
}
