// How a host is set up: from an options object, else from SERVAL_* environment variables, else by default.
// Every value is checked here, and an error says which setting it is about (docs/configuration.md).

import type { PickerChoice } from '../controller/policies/hierarchical-router';
import { withCode } from '../errors';
import { SPIN_MAXIMUM, WELL_KNOWN_PORT } from '../limits';
import { type ResolverEntry, type ResolverRoute, readResolverRoutes } from '../resolver/resolver-route';
import { servicePrefix } from '../socket/service-name';
import { isPickerName, PICKER_NAMES, type PickerName } from '../table/pickers/picker-names';
import { NetworkAddress } from '../wire/network-address';

/** Native UDP (falls back to node:dgram), node:dgram alone, raw IP of protocol 144. */
export const LINK_NAMES = ['udp', 'udp-dgram', 'raw'] as const;
export type LinkName = (typeof LINK_NAMES)[number];

export interface HostConfiguration {
  /** Well-known UDP port of this host and of the hosts it asks. */
  readonly port: number;
  /** UDP port for this process's data; 0 takes any. */
  readonly dataPort: number;
  /** Links to open, the preferred one first; at least one, each at most once. */
  readonly links: readonly LinkName[];
  /** Service router that is asked instead of broadcasting, and with which this host registers. */
  readonly router: NetworkAddress | 'auto' | undefined;
  /** Whether the addon may be loaded. */
  readonly native: boolean;
  /** Whether unknown services are asked for by broadcast. */
  readonly broadcast: boolean;
  /** Where the processes of this host meet: the default place, a socket path, or nowhere. */
  readonly registry: 'default' | 'off' | { readonly path: string };
  /** Where this process can be looked at and steered: the default place, a socket path, or nowhere. */
  readonly control: 'default' | 'off' | { readonly path: string };
  /** Microseconds for which the event loop polls after traffic before it sleeps; 0: not at all. */
  readonly spin: number;
  /** Directories that are asked on demand, each for a prefix of its own. */
  readonly resolvers: readonly ResolverRoute[];
  /** How one of several instances is chosen, by prefix. */
  readonly pickers: readonly PickerChoice[];
  /** Whether instances that do not take connections are passed over. */
  readonly ejection: boolean;
  /** Whether this host tells its segments by broadcast what it offers, and believes what others tell. */
  readonly flooding: boolean;
  /** How registrations are exchanged with hosts of the original on raw links: not at all, as one of them, or as their router. */
  readonly servd: 'off' | 'host' | 'router';
  /** Whether flows move by themselves, and to which interfaces rather than to others (§4.4). */
  readonly migration: boolean | readonly string[];
}

/** What a program may set; each beats its environment variable. */
export interface HostOptions {
  readonly port?: number | undefined;
  readonly dataPort?: number | undefined;
  readonly links?: readonly LinkName[] | undefined;
  /** `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`, the well-known port by default; `auto`: found by broadcast. */
  readonly router?: string | NetworkAddress | undefined;
  readonly native?: boolean | undefined;
  readonly broadcast?: boolean | undefined;
  /** A socket path, or `false` to share nothing with the other processes of this host. */
  readonly registry?: string | boolean | undefined;
  /** A socket path for the control interface, or `false` for none (docs/control.md). */
  readonly control?: string | boolean | undefined;
  /** Microseconds to poll after traffic before sleeping, at most 50: short round trips for processor time. */
  readonly spin?: number | undefined;
  /** Directories that are asked on demand (§4.3). In the variable: `NAME=FILE`, comma separated. */
  readonly resolvers?: readonly ResolverEntry[] | undefined;
  /** How one of several instances is chosen, by service or prefix. In the variable: `NAME=PICKER`, comma separated. */
  readonly pickers?: Readonly<Record<string, PickerName>> | undefined;
  /** Whether instances that do not take connections are passed over until they do; default true. */
  readonly ejection?: boolean | undefined;
  /** Tells all on the segment by broadcast what this host offers, and believes what others tell: for networks that are trusted. */
  readonly flooding?: boolean | undefined;
  /** Registers on raw links with a router of the original (`host`), or is the router of its hosts (`router`); default neither. */
  readonly servd?: 'host' | 'router' | false | undefined;
  /** Interfaces by name, best first, `wl*` for all that begin so; `false`: flows stay until they are moved by hand. */
  readonly migration?: boolean | readonly string[] | undefined;
}

/** Throws a TypeError or RangeError with one of Node's codes when a value is not what it must be. */
export function configurationFrom(
  options: HostOptions = {},
  environment: Readonly<Record<string, string | undefined>> = process.env,
): HostConfiguration {
  checkNames(options);
  const setting = (name: keyof HostOptions): Setting => {
    if (options[name] !== undefined) return { name: `options.${name}`, value: options[name] };
    // An empty variable is as good as none: it is how a shell script unsets one for a command.
    return { name: VARIABLES[name], value: environment[VARIABLES[name]] || undefined };
  };
  const port = portOf(setting('port'), WELL_KNOWN_PORT, 1);
  return {
    port,
    dataPort: portOf(setting('dataPort'), 0, 0),
    links: linksOf(setting('links')),
    router: routerOf(setting('router'), port),
    native: booleanOf(setting('native'), true),
    broadcast: booleanOf(setting('broadcast'), true),
    registry: placeOf(setting('registry')),
    control: controlOf(setting('control')),
    spin: spinOf(setting('spin')),
    resolvers: resolversOf(setting('resolvers')),
    pickers: pickersOf(setting('pickers')),
    ejection: booleanOf(setting('ejection'), true),
    flooding: booleanOf(setting('flooding'), false),
    servd: servdOf(setting('servd')),
    migration: migrationOf(setting('migration')),
  };
}

const VARIABLES: Readonly<Record<keyof HostOptions, string>> = {
  port: 'SERVAL_PORT',
  dataPort: 'SERVAL_DATA_PORT',
  links: 'SERVAL_LINKS',
  router: 'SERVAL_ROUTER',
  native: 'SERVAL_NATIVE',
  broadcast: 'SERVAL_BROADCAST',
  registry: 'SERVAL_REGISTRY',
  control: 'SERVAL_CONTROL',
  spin: 'SERVAL_SPIN',
  resolvers: 'SERVAL_RESOLVERS',
  pickers: 'SERVAL_PICKERS',
  ejection: 'SERVAL_EJECTION',
  flooding: 'SERVAL_FLOODING',
  servd: 'SERVAL_SERVD',
  migration: 'SERVAL_MIGRATION',
};

/** A value with the name under which its user knows it. Text when it comes from the environment. */
interface Setting {
  readonly name: string;
  readonly value: unknown;
}

function checkNames(options: HostOptions): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidType('options', 'an object', options);
  }
  for (const name of Object.keys(options)) {
    // A misspelt setting that is ignored costs hours.
    if (!Object.hasOwn(VARIABLES, name)) throw invalidValue(`options.${name}`, 'is no setting of a host', name);
  }
}

function portOf({ name, value }: Setting, fallback: number, lowest: number): number {
  if (value === undefined) return fallback;
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  if (typeof port !== 'number') throw invalidType(name, 'a port number', value);
  if (!Number.isInteger(port) || port < lowest || port > 65_535) {
    const rule = `${name} must be a port from ${lowest} to 65535, not ${show(value)}`;
    throw withCode(new RangeError(rule), 'ERR_SOCKET_BAD_PORT');
  }
  return port;
}

function linksOf({ name, value }: Setting): readonly LinkName[] {
  if (value === undefined) return ['udp'];
  const kinds: unknown = typeof value === 'string' ? value.split(',').map((kind) => kind.trim()) : value;
  if (!Array.isArray(kinds)) throw invalidType(name, 'a list of links', value);
  if (kinds.length === 0) throw invalidValue(name, 'must name at least one link', value);
  for (const [index, kind] of kinds.entries()) {
    if (!LINK_NAMES.includes(kind)) throw invalidValue(name, `may name ${LINK_NAMES.join(', ')}`, kind);
    if (kinds.indexOf(kind) !== index) throw invalidValue(name, 'must name each link once', value);
  }
  if (kinds.includes('udp') && kinds.includes('udp-dgram')) {
    throw invalidValue(name, 'may name one of udp and udp-dgram', value);
  }
  return [...kinds];
}

function routerOf({ name, value }: Setting, defaultPort: number): HostConfiguration['router'] {
  if (value === undefined || value === 'auto') return value;
  if (value instanceof NetworkAddress) return checkRouter(name, value.port === 0 ? value.withPort(defaultPort) : value);
  if (typeof value !== 'string') throw invalidType(name, 'an address', value);
  const address = NetworkAddress.parseEndpoint(value, defaultPort);
  if (address === undefined) throw invalidValue(name, 'must be ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT or auto', value);
  return checkRouter(name, address);
}

function checkRouter(name: string, address: NetworkAddress): NetworkAddress {
  if (address.isUnspecified || address.isMulticast)
    throw invalidValue(name, 'must be the address of one host', address);
  return address;
}

function booleanOf({ name, value }: Setting, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') throw invalidType(name, 'a boolean', value);
  if (value === '1' || value === 'true') return true;
  if (value === '0' || value === 'false') return false;
  throw invalidValue(name, 'must be 1, 0, true or false', value);
}

function migrationOf({ name, value }: Setting): boolean | readonly string[] {
  if (value === undefined || value === true || value === '1' || value === 'true') return true;
  if (value === false || value === '0' || value === 'false') return false;
  const names: unknown = typeof value === 'string' ? value.split(',').map((each) => each.trim()) : value;
  if (!Array.isArray(names)) throw invalidType(name, 'a boolean or a list of interfaces', value);
  for (const each of names) if (typeof each !== 'string') throw invalidType(name, 'a list of names', each);
  if (names.length === 0 || names.includes('')) throw invalidValue(name, 'must name interfaces', value);
  return [...names];
}

function controlOf(setting: Setting): HostConfiguration['control'] {
  const place = placeOf(setting);
  // A named pipe of Windows would be open to other users.
  return place === 'default' && process.platform === 'win32' ? 'off' : place;
}

function placeOf({ name, value }: Setting): 'default' | 'off' | { readonly path: string } {
  if (value === undefined || value === true || value === '1' || value === 'true') return 'default';
  if (value === false || value === '0' || value === 'false') return 'off';
  if (typeof value !== 'string') throw invalidType(name, 'a socket path or a boolean', value);
  const isPath = value.startsWith('/') || value.startsWith('\0') || value.startsWith('\\\\.\\pipe\\');
  if (!isPath) throw invalidValue(name, 'must be an absolute path, 1 or 0', value);
  return { path: value };
}

function spinOf({ name, value }: Setting): number {
  if (value === undefined) return 0;
  const spin = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof spin !== 'number') throw invalidType(name, 'a number of microseconds', value);
  if (!Number.isInteger(spin) || spin < 0 || spin > SPIN_MAXIMUM) {
    const rule = `must be whole microseconds from 0 to ${SPIN_MAXIMUM}`;
    throw withCode(new RangeError(`${name} ${rule}, not ${show(value)}`), 'ERR_OUT_OF_RANGE');
  }
  return spin;
}

function resolversOf({ name, value }: Setting): readonly ResolverRoute[] {
  if (value === undefined) return [];
  if (typeof value !== 'string' && !Array.isArray(value)) throw invalidType(name, 'a list of resolvers', value);
  try {
    return readResolverRoutes(value);
  } catch (error) {
    throw invalidValue(name, `must be right: ${(error as Error).message}`, value);
  }
}

function pickersOf({ name, value }: Setting): readonly PickerChoice[] {
  if (value === undefined) return [];
  const entries = typeof value === 'string' ? value.split(',').map(splitEntry) : entriesOf(name, value);
  return entries.map(([service, picker]) => {
    if (!isPickerName(picker)) throw invalidValue(name, `may name the pickers ${PICKER_NAMES.join(', ')}`, picker);
    try {
      return { prefix: servicePrefix(service), picker };
    } catch (error) {
      throw invalidValue(name, `must name services: ${(error as Error).message}`, service);
    }
  });
}

/** Names hold `=` too: what stands behind the last one is the picker. */
function splitEntry(entry: string): [string, string] {
  const at = entry.lastIndexOf('=');
  return at < 0 ? ['', entry.trim()] : [entry.slice(0, at).trim(), entry.slice(at + 1).trim()];
}

function entriesOf(name: string, value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidType(name, 'an object of pickers by service', value);
  }
  return Object.entries(value);
}

function servdOf({ name, value }: Setting): HostConfiguration['servd'] {
  if (value === undefined || value === false || value === '0' || value === 'false') return 'off';
  if (value === 'host' || value === 'router') return value;
  throw invalidValue(name, 'must be host, router or 0', value);
}

function invalidType(name: string, wanted: string, value: unknown): TypeError {
  return withCode(new TypeError(`${name} must be ${wanted}, not ${show(value)}`), 'ERR_INVALID_ARG_TYPE');
}

function invalidValue(name: string, rule: string, value: unknown): TypeError {
  return withCode(new TypeError(`${name} ${rule}; got ${show(value)}`), 'ERR_INVALID_ARG_VALUE');
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
