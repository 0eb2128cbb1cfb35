// `require('serval')` and `import 'serval'` in one process give the same objects, and so one stack.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const { exports: entries } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, { import?: unknown }>;
};
const dual = Object.keys(entries).filter((entry) => entries[entry]!.import !== undefined);

describe.each(dual)('%s', (entry) => {
  it('gives the same objects to require and import, by name and as default', () => {
    const specifier = entry.replace(/^\./, 'serval');
    const program = `
      import { createRequire } from 'node:module';
      import * as names from '${specifier}';
      const required = createRequire(process.cwd() + '/package.json')('${specifier}');
      const same = Object.keys(required).filter((name) => names[name] === required[name]);
      console.log(JSON.stringify({
        required: Object.keys(required).sort(),
        same: same.sort(),
        others: Object.keys(names).filter((name) => !(name in required)),
        isDefault: names.default === required,
      }));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
    const { required, same, others, isDefault } = JSON.parse(output);
    expect(required.length).toBeGreaterThan(0);
    expect(same).toEqual(required);
    expect(others).toEqual(['default']);
    expect(isDefault).toBe(true);
  });
});
