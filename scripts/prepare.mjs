// Runs after `npm install` in a checkout and before `npm pack`: builds TypeScript and the addon. Never runs for
// those who install the package: it is no install script.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

if (!existsSync('node_modules/typescript')) {
  console.error('serval: development dependencies were left out, nothing is built.');
  process.exit(0);
}
const result = spawnSync('npm', ['run', 'build'], { stdio: 'inherit', shell: process.platform === 'win32' });
process.exit(result.status ?? 1);
