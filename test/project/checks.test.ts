// The project's own checks find what they are for.

import { describe, expect, it } from 'vitest';
import { judgeFile } from '../../scripts/check-file-sizes.mjs';
import { addressesIn } from '../../scripts/check-lockfile.mjs';
import { compare, marksIn, parseMap } from '../../scripts/check-paper-map.mjs';

describe('file sizes', () => {
  const lines = (count: number, first = '// A file.') => `${first}\n${'x;\n'.repeat(count - 1)}`;

  it('300 lines are fine', () => {
    expect(judgeFile('a.ts', lines(300))).toBeUndefined();
  });

  it('301 lines want a reason', () => {
    expect(judgeFile('a.ts', lines(301))).toMatchObject({ fails: false });
    expect(judgeFile('a.ts', lines(301, '// Long because the table is one.'))).toBeUndefined();
  });

  it('501 lines fail, reason or not', () => {
    expect(judgeFile('a.ts', lines(501, '// Long because the table is one.'))).toMatchObject({ fails: true });
  });
});

describe('lockfile', () => {
  it('a download address and a link are found', () => {
    const packages = {
      '': {},
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' },
      'node_modules/b': { version: '1.0.0', resolved: 'https://registry.example/b.tgz' },
      'node_modules/c': { link: true },
    };
    expect(addressesIn({ packages })).toEqual(['node_modules/b', 'node_modules/c']);
  });
});

describe('paper map', () => {
  const map = [
    '| paper | what | files | tests |',
    '|---|---|---|---|',
    '| §4.4 | signaling | `lib/a.ts`, `lib/b/` | `test/a.test.ts` |',
  ];
  const rows = parseMap(map.join('\n'));
  const everythingExists = () => true;

  it('reads sections and paths', () => {
    expect([...rows]).toEqual([['4.4', ['lib/a.ts', 'lib/b/', 'test/a.test.ts']]]);
    expect([...marksIn('// as in §4.4 and §7; RFC 9293 3.8.6')]).toEqual(['4.4', '7']);
    expect([...marksIn('// RFC 1982 §3.4, wire format §11, §12; docs/protocol.md §2; §4.3')]).toEqual(['4.3']);
  });

  it('a marked file that is listed, itself or by its folder, is fine', () => {
    const files = new Map([
      ['lib/a.ts', '// §4.4'],
      ['lib/b/c.ts', '// §4.4'],
      ['lib/d.ts', '// nothing'],
    ]);
    expect(compare(rows, files, everythingExists)).toEqual([]);
  });

  it('a marked file that is not listed is found', () => {
    expect(compare(rows, new Map([['lib/d.ts', '// §4.4']]), everythingExists)).toHaveLength(1);
    expect(compare(rows, new Map([['lib/a.ts', '// §4.1']]), everythingExists)).toHaveLength(1);
  });

  it('a listed file that does not exist is found', () => {
    expect(compare(rows, new Map(), (path: string) => path !== 'lib/a.ts')).toEqual([
      '§4.4 lists lib/a.ts, which is not there',
    ]);
  });
});
