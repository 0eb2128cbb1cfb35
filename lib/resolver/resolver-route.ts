// Which directory is asked for which services: as a program writes it, as a variable of the environment writes it, and
// as a host uses it.

import { servicePrefix } from '../socket/service-name';
import type { ServiceID, ServicePrefix } from '../wire/service-id';
import { FileResolver } from './file-resolver';
import type { Resolver } from './resolver';

export interface ResolverEntry {
  /** What the resolver is asked for: `acme/*`, `acme/web`, `HEX/bits`, or `*` for everything. */
  readonly prefix: string | ServiceID | ServicePrefix;
  readonly resolver: Resolver;
  /** Whether it is also asked for what others on the segment look for by broadcast, as their router does. Default false. */
  readonly broadcast?: boolean | undefined;
}

export interface ResolverRoute {
  readonly prefix: ServicePrefix;
  readonly resolver: Resolver;
  readonly broadcast: boolean;
}

/** A list of entries, or `NAME=FILE,NAME=FILE`. Throws a TypeError or RangeError that says what is wrong. */
export function readResolverRoutes(value: string | readonly unknown[]): ResolverRoute[] {
  const entries = typeof value === 'string' ? value.split(',').map(readText) : value;
  const routes = entries.map((entry) => routeOf(entry as ResolverEntry));
  for (const [index, { prefix }] of routes.entries()) {
    const first = routes.findIndex((each) => each.prefix.equals(prefix));
    if (first !== index) throw new TypeError(`${prefix} has two resolvers`);
  }
  return routes;
}

function readText(text: string): ResolverEntry {
  const [, name, path] = /^\s*([^=]+)=(.+?)\s*$/.exec(text) ?? [];
  if (name === undefined || path === undefined) throw new TypeError(`${JSON.stringify(text)} is not NAME=FILE`);
  return { prefix: name, resolver: new FileResolver(path) };
}

function routeOf(entry: ResolverEntry): ResolverRoute {
  if (typeof entry !== 'object' || entry === null) throw new TypeError('each must be { prefix, resolver }');
  const { prefix, resolver, broadcast = false } = entry;
  if (typeof resolver?.resolve !== 'function') throw new TypeError(`the resolver of ${prefix} has no method resolve`);
  if (typeof broadcast !== 'boolean') throw new TypeError(`broadcast of ${prefix} must be a boolean`);
  return { prefix: servicePrefix(prefix), resolver, broadcast };
}
