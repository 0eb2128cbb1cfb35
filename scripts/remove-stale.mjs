// tsc leaves what it once wrote. Removes from dist/ the files whose source in lib/ has gone, so that the package
// holds what the tree holds.

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

for (const entry of readdirSync('dist', { withFileTypes: true, recursive: true })) {
  const path = join(entry.parentPath, entry.name);
  const source = path.replace(/^dist/, 'lib').replace(/(\.d)?\.m?[jt]s$/, '.ts');
  if (entry.isFile() && !existsSync(source)) rmSync(path);
}
