// The directories of a host (§4.3): one policy for each, and its way to the resolver.

import { OnDemandLookup } from '../controller/policies/on-demand-lookup';
import type { ResolverRoute } from '../resolver/resolver-route';
import type { NetworkAddress } from '../wire/network-address';
import { Lookup, type LookupContext } from './lookup';

export interface LookupLink {
  readonly index: number;
  /** Of instances without one; `undefined` on a link without ports. */
  readonly port: number | undefined;
  /** The process that knows what is offered on this host, if it is another one. */
  readonly holder: () => NetworkAddress | undefined;
}

/** A controller for each route. Of two that hold a service the longer prefix is asked. */
export function createLookups(routes: readonly ResolverRoute[], link: LookupLink, context: LookupContext): Lookup[] {
  return routes.map(({ prefix, resolver, broadcast }) => {
    const parts = routes.map((route) => route.prefix).filter((part) => !part.equals(prefix));
    const except = parts.filter((part) => prefix.containsPrefix(part));
    const scope = broadcast ? 'host' : 'network';
    const policy = new OnDemandLookup({ prefix, except, link: link.index, scope, otherwise: link.holder });
    return new Lookup({ policy, resolver, prefix, port: link.port }, context);
  });
}
