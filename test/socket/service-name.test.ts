import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NAME_CACHE_ENTRIES } from '../../lib/limits';
import { contentServiceID, rememberedName, serviceID, servicePrefix } from '../../lib/socket/service-name';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

// `printf acme | sha256sum | cut -c 1-16`, and so on: by another tool than the code under test.
const BLOCK = {
  acme: '822b33ad87c148a0',
  web: '4b5e57f6eb2f42b9',
  v2: 'fb04dcb6970e4c3d',
  eu: '4d0282941aaf2d69',
};
const ZERO = '0'.repeat(16);
const DIGITS = '0123456789abcdef'.repeat(4);

describe('64 hexadecimal digits', () => {
  it('are that serviceID, in either case', () => {
    expect(serviceID(DIGITS).toString()).toBe(DIGITS);
    expect(serviceID(DIGITS.toUpperCase()).toString()).toBe(DIGITS);
    expect(servicePrefix(DIGITS).toString()).toBe(`${DIGITS}/256`);
  });

  it.each([41, 62, 63, 65, 66, 128])('are not %i: a mistyped serviceID is no name', (count) => {
    const text = DIGITS.repeat(2).slice(0, count);
    expectInvalid(() => serviceID(text), RangeError);
    expectInvalid(() => servicePrefix(text), RangeError);
  });

  it('may be fewer in a name: words and short hashes are made of them too', () => {
    expect(serviceID('cafe').toString()).toBe(hashed('cafe') + ZERO.repeat(3));
    expect(serviceID(DIGITS.slice(0, 40)).toString()).toBe(hashed(DIGITS.slice(0, 40)) + ZERO.repeat(3));
    expect(serviceID(`acme/${DIGITS}`).toString()).toBe(BLOCK.acme + hashed(DIGITS) + ZERO.repeat(2));
  });
});

describe('a name', () => {
  it('has each component in its own block', () => {
    expect(serviceID('acme').toString()).toBe(BLOCK.acme + ZERO.repeat(3));
    expect(serviceID('acme/web').toString()).toBe(BLOCK.acme + BLOCK.web + ZERO.repeat(2));
    expect(serviceID('acme/web/v2').toString()).toBe(BLOCK.acme + BLOCK.web + BLOCK.v2 + ZERO);
    expect(serviceID('acme/web/v2/eu').toString()).toBe(BLOCK.acme + BLOCK.web + BLOCK.v2 + BLOCK.eu);
  });

  it('is a single service as a prefix too', () => {
    expect(servicePrefix('acme').toString()).toBe(`${BLOCK.acme}${ZERO.repeat(3)}/256`);
  });

  it('is case-sensitive, and one name in all forms of Unicode', () => {
    expect(serviceID('Acme').equals(serviceID('acme'))).toBe(false);
    expect(serviceID('caf\u00e9').equals(serviceID('cafe\u0301'))).toBe(true);
    expect(serviceID('\u{1f600}').toString()).toBe(hashed('\u{1f600}') + ZERO.repeat(3));
  });

  it.each(['', '/', 'acme/', '/acme', 'acme//web', 'acme//*', '/*'])('has no empty component: %j', (text) => {
    expectInvalid(() => serviceID(text), TypeError);
    expectInvalid(() => servicePrefix(text), TypeError);
  });

  it.each(['*/web', 'acme/*/web', 'ac*me', 'acme*', 'acme/**'])('has `*` at its end only: %j', (text) => {
    expectInvalid(() => serviceID(text), TypeError);
    expectInvalid(() => servicePrefix(text), TypeError);
  });

  it('has four components at most', () => {
    expectInvalid(() => serviceID('a/b/c/d/e'), RangeError);
    expectInvalid(() => servicePrefix('a/b/c/d/*'), RangeError);
  });

  it('is well-formed Unicode: all lone surrogates would be one name', () => {
    expectInvalid(() => serviceID('acme/\ud800'), TypeError);
    expectInvalid(() => servicePrefix('\udfff'), TypeError);
  });
});

describe('a prefix', () => {
  it('ends in `/*` and holds the names below it', () => {
    expect(servicePrefix('acme/*').toString()).toBe(`${BLOCK.acme}${ZERO.repeat(3)}/64`);
    expect(servicePrefix('acme/*').contains(serviceID('acme/web'))).toBe(true);
    expect(servicePrefix('acme/*').contains(serviceID('acme'))).toBe(true);
    expect(servicePrefix('acme/*').contains(serviceID('acne/web'))).toBe(false);
    expect(servicePrefix('acme/web/v2/*').bits).toBe(192);
    expect(servicePrefix('*')).toEqual(ServicePrefix.any);
  });

  it('is HEX/bits, zero-filled on the right', () => {
    expect(servicePrefix(`${DIGITS}/12`).toString()).toBe(`012${'0'.repeat(61)}/12`);
    expect(servicePrefix('a/4').toString()).toBe(`a${'0'.repeat(63)}/4`);
    expect(servicePrefix('ABC/256').toString()).toBe(`abc${'0'.repeat(61)}/256`);
    expect(servicePrefix('0/0')).toEqual(ServicePrefix.any);
    const prefix = servicePrefix('acme/*');
    expect(servicePrefix(prefix.toString()).equals(prefix)).toBe(true);
  });

  it.each(['0/257', 'abc/1000', 'abc/99999999999999999999', `${DIGITS}0/8`])('is not %s', (text) => {
    expectInvalid(() => servicePrefix(text), RangeError);
  });

  it.each(['acme/*', '*', 'abc/12', `${DIGITS}/256`])('is not one service: %s', (text) => {
    expectInvalid(() => serviceID(text), TypeError);
  });

  it('is not what merely looks like one', () => {
    expect(servicePrefix('abc/-1').bits).toBe(256);
    expect(servicePrefix('xyz/12').bits).toBe(256);
  });
});

describe('values that are names already', () => {
  it('pass unchanged', () => {
    const id = serviceID('acme');
    const prefix = servicePrefix('acme/*');
    expect(serviceID(id)).toBe(id);
    expect(servicePrefix(prefix)).toBe(prefix);
    expect(servicePrefix(id).toString()).toBe(`${id}/256`);
  });

  it.each([undefined, null, 0, 8080, true, {}, [], Symbol('x'), () => 'acme', new Uint8Array(32)])(
    'are not %o',
    (value) => {
      const wrong = expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      expect(thrown(() => serviceID(value as string))).toEqual(wrong);
      expect(thrown(() => servicePrefix(value as string))).toEqual(wrong);
      expect(thrown(() => contentServiceID(value as string, 'key'))).toEqual(wrong);
    },
  );

  it('are no prefix where one service is wanted', () => {
    const wrong = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(thrown(() => serviceID(servicePrefix('acme/*') as unknown as string))).toEqual(wrong);
  });
});

describe('contentServiceID', () => {
  it('has the prefix in front and the hash of the key behind it, each bit in its place', () => {
    const hash = createHash('sha256').update('picture.png').digest('hex');
    expect(contentServiceID('acme/files/*', 'picture.png').toString()).toBe(
      hashed('acme') + hashed('files') + hash.slice(32),
    );
    expect(contentServiceID('*', 'picture.png').toString()).toBe(hash);
    const id = contentServiceID('f/2', 'picture.png').toString();
    expect(Number.parseInt(id[0]!, 16)).toBe(0b1100 | (Number.parseInt(hash[0]!, 16) & 0b0011));
    expect(id.slice(1)).toBe(hash.slice(1));
  });

  it('takes bytes, and text as its UTF-8', () => {
    const bytes = contentServiceID('acme/*', Buffer.from('caf\u00e9'));
    expect(bytes.equals(contentServiceID('acme/*', 'caf\u00e9'))).toBe(true);
    expect(servicePrefix('acme/*').contains(bytes)).toBe(true);
    expect(contentServiceID('acme/*', '').equals(contentServiceID('acme/*', new Uint8Array(0)))).toBe(true);
  });

  it('falls into one of the halves that two servers split a prefix into, evenly (§6.2)', () => {
    const low = servicePrefix('acme/*').base;
    const words = Uint32Array.from(low.words);
    words[2] = 0x80000000;
    const halves = [ServicePrefix.of(low, 65), ServicePrefix.of(ServiceID.fromWords(words), 65)];
    const keys = Array.from({ length: 400 }, (_, index) => contentServiceID('acme/*', `key ${index}`));
    const counts = halves.map((half) => keys.filter((id) => half.contains(id)).length);
    expect(counts[0]! + counts[1]!).toBe(400);
    expect(counts[0]).toBeGreaterThan(150);
    expect(counts[1]).toBeGreaterThan(150);
  });

  it('wants room for the hash, and a key', () => {
    expectInvalid(() => contentServiceID('acme/files', 'key'), RangeError);
    const wrong = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' });
    for (const key of [undefined, null, 5, {}, [1]]) {
      expect(thrown(() => contentServiceID('acme/*', key as unknown as string))).toEqual(wrong);
    }
  });
});

describe('the cache', () => {
  it('gives the same value again, and forgets the oldest beyond its bound', () => {
    const first = serviceID('cache/first');
    expect(serviceID('cache/first')).toBe(first);
    for (let count = 0; count < NAME_CACHE_ENTRIES; count++) serviceID(`cache/${count}x`);
    const again = serviceID('cache/first');
    expect(again).not.toBe(first);
    expect(again.equals(first)).toBe(true);
  });

  it('leads back from a prefix to the text that was used for it, as long as it is remembered', () => {
    expect(rememberedName(servicePrefix('cache/back').toString())).toBe('cache/back');
    expect(rememberedName(servicePrefix('cache/back/*').toString())).toBe('cache/back/*');
    expect(rememberedName(servicePrefix('beef').toString())).toBe('beef');
    expect(rememberedName(servicePrefix('beef/16').toString())).toBeUndefined();
    expect(rememberedName(servicePrefix(DIGITS).toString())).toBeUndefined();
    const text = servicePrefix('cache/back').toString();
    for (let count = 0; count < NAME_CACHE_ENTRIES; count++) serviceID(`cache/${count}y`);
    expect(rememberedName(text)).toBeUndefined();
  });
});

function hashed(component: string): string {
  return createHash('sha256').update(component).digest('hex').slice(0, 16);
}

function expectInvalid(call: () => unknown, kind: typeof TypeError | typeof RangeError): void {
  const error = thrown(call);
  expect(error).toBeInstanceOf(kind);
  expect(error).toMatchObject({ code: 'ERR_SERVAL_INVALID_NAME' });
}

function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}
