// Before `npm pack`: when no prebuilt binary for this platform lies in prebuilds/, the one that was compiled here
// goes into the tarball, so that a package made from a checkout works natively on the machine that made it.

import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const compiled = 'build/Release/serval.node';
const folder = join('prebuilds', `${process.platform}-${process.arch}`);

const hasPrebuild = existsSync(folder) && readdirSync(folder).some((file) => file.endsWith('.node'));
if (!hasPrebuild && existsSync(compiled) && process.env.SERVAL_PACK_WITHOUT_ADDON !== '1') {
  mkdirSync(folder, { recursive: true });
  copyFileSync(compiled, join(folder, 'serval.node'));
  console.error(`serval: ${compiled} goes into the package as ${folder}/serval.node`);
}
