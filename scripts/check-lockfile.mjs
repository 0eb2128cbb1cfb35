// The lockfile names versions and hashes, never download addresses: it must work with any registry.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** Packages of a lockfile that carry an address, and linked or remote ones that only one machine has. */
export function addressesIn(lockfile) {
  return Object.entries(lockfile.packages)
    .filter(([, entry]) => entry.resolved !== undefined || entry.link === true)
    .map(([path]) => path);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const found = addressesIn(JSON.parse(readFileSync('package-lock.json', 'utf8')));
  for (const path of found) console.log(`error: package-lock.json: "resolved" or "link" in ${path}`);
  if (found.length > 0) {
    console.log('Write it again with: npm install --package-lock-only --omit-lockfile-registry-resolved');
    process.exit(1);
  }
}
