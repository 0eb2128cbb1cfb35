// docs/paper-map.md against the tree: every file it lists exists, and every paper section that a file of lib/ is
// marked with (`§4.4`) has that file in its row.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Rows of the map: section -> the paths in the row, folders with their trailing slash. */
export function parseMap(markdown) {
  const rows = new Map();
  for (const line of markdown.split('\n')) {
    const section = /^\| *§(\d+(?:\.\d+)*)/.exec(line)?.[1];
    if (section === undefined) continue;
    const paths = [...line.matchAll(/`((?:lib|test|src-native|docs|examples)\/[^`]*)`/g)].map((match) => match[1]);
    rows.set(section, [...(rows.get(section) ?? []), ...paths]);
  }
  return rows;
}

/** Sections of the paper a source text is marked with; those of an RFC, a document or the wire format are not. */
export function marksIn(text) {
  const ofThePaper = text.replace(/(?:RFC \d+|\.md|wire format),?(?:,? §[\d.]+(?:-§?[\d.]+)?)+/g, '');
  return new Set([...ofThePaper.matchAll(/§(\d+(?:\.\d+)*)/g)].map((match) => match[1]));
}

/** `files`: path -> text of every file of lib/. */
export function compare(rows, files, exists) {
  const problems = [];
  for (const [section, paths] of rows) {
    for (const path of paths) if (!exists(path)) problems.push(`§${section} lists ${path}, which is not there`);
  }
  for (const [path, text] of files) {
    for (const section of marksIn(text)) {
      const listed = rows
        .get(section)
        ?.some((entry) => entry === path || (entry.endsWith('/') && path.startsWith(entry)));
      if (!listed) problems.push(`${path} is marked §${section}, but is not in that row`);
    }
  }
  return problems;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const files = new Map(
    readdirSync('lib', { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'utf8')]),
  );
  const problems = compare(parseMap(readFileSync('docs/paper-map.md', 'utf8')), files, existsSync);
  for (const problem of problems) console.log(`error: docs/paper-map.md: ${problem}`);
  if (problems.length > 0) process.exit(1);
}
