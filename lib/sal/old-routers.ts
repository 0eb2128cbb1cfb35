// The service routers at which the ends of a flow meet when both have moved (§4.4): those that its first packet passed,
// and the one that this host is registered with. Both ends know the first router of the SYN; of a flow whose SYN has passed
// none, one end tells the other with what router it is registered.

import type { AddressExtension } from '../wire/address-extension';
import { endpointAddressExtensionBytes } from '../wire/endpoint-address-extension';
import type { NetworkAddress } from '../wire/network-address';
import type { SalPacket } from '../wire/sal-packet';
import { SERVICE_EXTENSION_BYTES } from '../wire/service-extension';
import { type Flow, MANY_HOPS } from './flow';
import { type LocalInterfaces, UNNUMBERED } from './local-interfaces';
import { FLOW_ROUTERS_MAXIMUM, ROUTER_LISTS } from './signaling/resync-limits';

export class OldRouters {
  /** The router that this host is registered with, or was last. */
  registered: NetworkAddress | undefined;
  /** What was told last, so that flows share it. */
  private told: { others: AddressExtension | undefined; router: NetworkAddress; list: AddressExtension } | undefined;
  /** Made lately, so that flows share them. */
  private readonly lists: (readonly NetworkAddress[] | undefined)[] = new Array(ROUTER_LISTS).fill(undefined);

  constructor(private readonly interfaces: LocalInterfaces) {}

  /** Of a SYN that was received: of those that passed it on the first, and the last. */
  ofSyn({ source }: SalPacket): readonly NetworkAddress[] | undefined {
    if (source === undefined) return undefined;
    // Our own machine's router moves with us.
    const others = source.slice(1).filter((each) => isRouter(each) && !this.interfaces.has(each));
    const [first] = others;
    const last = others.at(-1);
    if (first === undefined) return undefined;
    return this.share(last!.equals(first) ? [first] : [first, last!]);
  }

  /** Of a SYN of ours, which went to `hop` and was answered by `answerer`. */
  ofConnect(hop: NetworkAddress | undefined, answerer: NetworkAddress): readonly NetworkAddress[] | undefined {
    if (hop === undefined || hop === MANY_HOPS || !isRouter(hop) || hop.sameIp(answerer)) return undefined;
    return this.share([hop]);
  }

  /** That the peer is registered with. */
  ofPeer(router: NetworkAddress): readonly NetworkAddress[] | undefined {
    return isRouter(router) && !this.interfaces.has(router) ? this.share([router]) : undefined;
  }

  /** What the flow's peer is told: the addresses in `others`, and where it needs that our router. */
  tell({ routers, path, isEncapsulated, request }: Flow, others: AddressExtension | undefined): typeof others {
    const { registered: router } = this;
    if (routers !== undefined || router === undefined || !isRouter(router)) return others;
    if (!isEncapsulated || path!.remote.isLoopback || path!.remote.sameIp(router)) return others;
    const list = this.listOf(others, router);
    // A SYN-ACK is no longer than its SYN, which has a SERVICE extension where it has this (S4).
    const isTooLong = request !== undefined && endpointAddressExtensionBytes(list) > SERVICE_EXTENSION_BYTES;
    return isTooLong ? others : list;
  }

  /** Whom to ask for the flow's peer; each once. */
  of({ routers = [] }: Flow): readonly NetworkAddress[] {
    const { registered } = this;
    if (registered === undefined || !isRouter(registered) || routers.some((each) => each.equals(registered))) {
      return routers;
    }
    return [...routers, registered];
  }

  private listOf(others: AddressExtension | undefined, router: NetworkAddress): AddressExtension {
    const { told } = this;
    if (told?.others === others && told?.router.equals(router) === true) return told.list;
    const list = { ...UNNUMBERED, addresses: [...(others?.addresses ?? []), router] };
    this.told = { others, router, list };
    return list;
  }

  private share(list: readonly NetworkAddress[]): readonly NetworkAddress[] {
    const place = placeOf(list[0]!);
    const known = this.lists[place];
    if (known?.length === list.length && known.every((each, index) => each.equals(list[index]!))) return known;
    this.lists[place] = list.slice(0, FLOW_ROUTERS_MAXIMUM);
    return this.lists[place]!;
  }
}

/** Whether a RSYN can be sent there from elsewhere. Not on raw links, where nothing tells a router's packets from a flow's. */
function isRouter({ isUnicast, isLoopback, port }: NetworkAddress): boolean {
  return isUnicast && !isLoopback && port !== 0;
}

function placeOf({ port, word0, word1, word2, word3 }: NetworkAddress): number {
  return (Math.imul(word0 ^ word1 ^ word2 ^ word3 ^ port, 0x9e3779b1) >>> 16) & (ROUTER_LISTS - 1);
}
