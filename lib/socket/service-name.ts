// What a text means as the name of a service (§3.1): digits of a serviceID, a prefix of serviceIDs, or a name
// whose components are hashed into blocks of 64 bits. Everything else is refused; nothing is guessed.
//
//   64 hex digits   that serviceID
//   HEX/bits        a prefix: 1 to 64 hex digits, zero-filled on the right, of which `bits` (0 to 256) count
//   a/b/c/d         a name: one to four components, each hashed (SHA-256 of its UTF-8, the first 64 bits) into
//                   its own block, the other blocks zero - so `acme/*` holds `acme/web`
//   a/b/*           the prefix of all names that begin so; `*` alone is the prefix of everything
//
// Components are case-sensitive, are taken in Unicode's form NFC, and hold no `/` and no `*`.

import { createHash } from 'node:crypto';
import { ErrorCode, withCode } from '../errors';
import { NAME_CACHE_ENTRIES, NAME_CACHE_TEXT_MAXIMUM } from '../limits';
import { SERVICE_ID_BITS, SERVICE_ID_BYTES, ServiceID, ServicePrefix } from '../wire/service-id';
import { invalidArgumentType } from './node-error';

/**
 * The one serviceID that `name` stands for. Throws a TypeError ERR_INVALID_ARG_TYPE for what is neither text
 * nor ServiceID, and a TypeError or RangeError ERR_SERVAL_INVALID_NAME for a text that is no name of one.
 */
export function serviceID(name: string | ServiceID): ServiceID {
  if (name instanceof ServiceID) return name;
  if (typeof name !== 'string') throw invalidArgumentType('name', 'of type string or an instance of ServiceID', name);
  const { prefix, isPattern } = parsedName(name);
  if (isPattern) throw invalidName(TypeError, name, 'is a prefix; a single service is wanted here');
  return prefix.base;
}

/** The prefix that `name` stands for: of 256 bits when it names a single service. Throws as `serviceID`. */
export function servicePrefix(name: string | ServiceID | ServicePrefix): ServicePrefix {
  if (name instanceof ServicePrefix) return name;
  if (name instanceof ServiceID) return ServicePrefix.of(name);
  if (typeof name === 'string') return parsedName(name).prefix;
  throw invalidArgumentType('name', 'of type string or an instance of ServiceID or ServicePrefix', name);
}

/**
 * The serviceID of a piece of content (§3.1, §6.2): the bits of the prefix, then those bits of the SHA-256 of
 * `key` that stand behind them. Whoever serves a longer prefix serves a part of the contents.
 */
export function contentServiceID(prefix: string | ServicePrefix, key: string | Uint8Array): ServiceID {
  const { base, bits } = servicePrefix(prefix);
  if (typeof key !== 'string' && !(key instanceof Uint8Array)) {
    throw invalidArgumentType('key', 'of type string or an instance of Uint8Array', key);
  }
  if (bits === SERVICE_ID_BITS) {
    throw invalidName(RangeError, String(prefix), 'leaves no bits for a content key; for a name write `name/*`');
  }
  const hash = ServiceID.fromBytes(sha256(key));
  const prefixOfHash = ServicePrefix.of(hash, bits).base;
  return ServiceID.fromWords(hash.words.map((word, index) => word ^ prefixOfHash.words[index]! ^ base.words[index]!));
}

/** The text that this process has lately used for a prefix, by the prefix as text: hashes have no way back. */
export function rememberedName(prefix: string): string | undefined {
  return names.get(prefix);
}

interface ParsedName {
  readonly prefix: ServicePrefix;
  /** Whether it was written as a prefix: `HEX/bits` or with `*`. */
  readonly isPattern: boolean;
}

const COMPONENTS_MAXIMUM = 4;
const BLOCK_BYTES = 8;
const HEX_DIGITS = SERVICE_ID_BYTES * 2;
/** More hex digits than a SHA-1 has are taken for a serviceID mistyped, not for a name. */
const HEX_NAME_MAXIMUM = 40;

const ONLY_HEX = /^[0-9a-fA-F]+$/;
const HEX_AND_BITS = /^([0-9a-fA-F]+)\/([0-9]+)$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Insertion order is the order of age. */
const cache = new Map<string, ParsedName>();
/** The other way round, for those that are names. */
const names = new Map<string, string>();

/** A program connects to few names very often, and hashing is dear. */
function parsedName(text: string): ParsedName {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const parsed = parseName(text);
  if (text.length <= NAME_CACHE_TEXT_MAXIMUM) remember(text, parsed);
  return parsed;
}

function remember(text: string, parsed: ParsedName): void {
  if (cache.size >= NAME_CACHE_ENTRIES) forget(cache.keys().next().value!);
  cache.set(text, parsed);
  if (!isDigits(text)) names.set(textOf(parsed), text);
}

/** Two texts may stand for one prefix: in another form of Unicode, or with digits. */
function forget(text: string): void {
  const prefix = textOf(cache.get(text)!);
  cache.delete(text);
  if (names.get(prefix) === text) names.delete(prefix);
}

/** Of a copy: a serviceID keeps the text that it once made, and most never need one. */
function textOf({ prefix }: ParsedName): string {
  return ServicePrefix.of(ServiceID.fromWords(prefix.base.words), prefix.bits).toString();
}

function isDigits(text: string): boolean {
  return HEX_AND_BITS.test(text) || (ONLY_HEX.test(text) && text.length > HEX_NAME_MAXIMUM);
}

function parseName(text: string): ParsedName {
  if (text === '') throw invalidName(TypeError, text, 'is empty');
  if (ONLY_HEX.test(text)) return parseHex(text);
  const match = HEX_AND_BITS.exec(text);
  return match === null ? parseComponents(text) : parseHexPrefix(text, match[1]!, match[2]!);
}

function parseHex(text: string): ParsedName {
  const exact = ServiceID.fromHex(text);
  if (exact !== undefined) return { prefix: ServicePrefix.of(exact), isPattern: false };
  if (text.length <= HEX_NAME_MAXIMUM) return parseComponents(text);
  throw invalidName(RangeError, text, `has ${text.length} hexadecimal digits; a serviceID has ${HEX_DIGITS}`);
}

function parseHexPrefix(text: string, hex: string, decimal: string): ParsedName {
  if (hex.length > HEX_DIGITS) throw invalidName(RangeError, text, `has more than ${HEX_DIGITS} hexadecimal digits`);
  const bits = Number(decimal);
  if (bits > SERVICE_ID_BITS) throw invalidName(RangeError, text, `has more than ${SERVICE_ID_BITS} prefix bits`);
  const base = ServiceID.fromHex(hex.padEnd(HEX_DIGITS, '0'))!;
  return { prefix: ServicePrefix.of(base, bits), isPattern: true };
}

function parseComponents(text: string): ParsedName {
  const components = text.split('/');
  const isPattern = components.at(-1) === '*';
  if (components.length > COMPONENTS_MAXIMUM) {
    throw invalidName(RangeError, text, `has more than ${COMPONENTS_MAXIMUM} components`);
  }
  if (isPattern) components.pop();
  const bytes = new Uint8Array(SERVICE_ID_BYTES);
  for (const [index, component] of components.entries()) {
    checkComponent(text, component);
    bytes.set(sha256(component.normalize('NFC')).subarray(0, BLOCK_BYTES), index * BLOCK_BYTES);
  }
  const bits = isPattern ? components.length * BLOCK_BYTES * 8 : SERVICE_ID_BITS;
  return { prefix: ServicePrefix.of(ServiceID.fromBytes(bytes), bits), isPattern };
}

function checkComponent(text: string, component: string): void {
  if (component === '') throw invalidName(TypeError, text, 'has an empty component');
  if (component.includes('*')) throw invalidName(TypeError, text, 'has a `*` that is not the whole last component');
  // UTF-8 has no lone surrogates: all of them would become the same name.
  if (LONE_SURROGATE.test(component)) throw invalidName(TypeError, text, 'is not well-formed Unicode');
}

function sha256(data: string | Uint8Array): Uint8Array {
  return createHash('sha256').update(data).digest();
}

function invalidName<E extends Error>(kind: new (message: string) => E, text: string, reason: string): E {
  const shown = text.length > SHOWN_TEXT_MAXIMUM ? `${text.slice(0, SHOWN_TEXT_MAXIMUM)}...` : text;
  return withCode(new kind(`The service name ${JSON.stringify(shown)} ${reason}`), ErrorCode.badName);
}

const SHOWN_TEXT_MAXIMUM = 80;
