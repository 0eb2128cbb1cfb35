// For every CommonJS entry of `exports`, writes the ES module beside it: the same objects under the same names
// and as default, so that `require` and `import` in one process share one stack.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, resolve } from 'node:path';

const require = createRequire(import.meta.url);
const { exports: entries } = JSON.parse(readFileSync('package.json', 'utf8'));

for (const entry of Object.values(entries)) {
  if (entry.import === undefined) continue;
  const commonJs = entry.require.default;
  const names = Object.keys(require(resolve(commonJs))).sort();
  if (names.includes('default')) throw new Error(`${commonJs}: a default export would hide the module itself`);
  writeFileSync(entry.import.default, wrapper(basename(commonJs), names));
  writeFileSync(entry.import.types, declarations(basename(commonJs)));
}

function wrapper(file, names) {
  const list = names.map((name) => `  ${name},\n`).join('');
  return `import module from './${file}';\n\nexport default module;\nexport const {\n${list}} = module;\n`;
}

function declarations(file) {
  return `import * as module from './${file}';\n\nexport * from './${file}';\nexport default module;\n`;
}
