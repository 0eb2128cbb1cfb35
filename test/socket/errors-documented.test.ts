// docs/errors.md is a promise: every code that the code knows stands in it.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ErrorCode } from '../../lib/errors';

const table = readFileSync('docs/errors.md', 'utf8');

test.each(Object.values(ErrorCode))('%s is documented', (code) => {
  expect(table).toContain(`\`${code}\``);
});

test('the codes of misuse that the sockets use are documented', () => {
  const used = new Set<string>();
  for (const file of readdirSync('lib/socket')) {
    for (const [, code] of readFileSync(join('lib/socket', file), 'utf8').matchAll(/'(ERR_[A-Z_]+)'/g)) used.add(code!);
  }
  expect(used.size).toBeGreaterThan(8);
  expect([...used].filter((code) => !table.includes(`\`${code}\``))).toEqual([]);
});
