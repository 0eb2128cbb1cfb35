// The lockfiles name versions and hashes, never download addresses: they must work with any registry.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Packages of a lockfile that carry an address, and linked or remote ones that only one machine has. */
export function addressesIn(lockfile) {
  return Object.entries(lockfile.packages)
    .filter(([, entry]) => entry.resolved !== undefined || entry.link === true)
    .map(([path]) => path);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const folder of ['.', 'benchmarks']) {
    const found = addressesIn(JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')));
    if (found.length === 0) continue;
    for (const path of found)
      console.log(`error: ${join(folder, 'package-lock.json')}: "resolved" or "link" in ${path}`);
    console.log('Write it again, in its folder: npm install --package-lock-only --omit-lockfile-registry-resolved');
    process.exitCode = 1;
  }
}
