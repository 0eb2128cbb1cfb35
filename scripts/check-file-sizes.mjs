// Files of lib/ and src-native/: past 300 lines they need a reason ("Long because ..." in a comment), past 500
// they have to be cut.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const NEEDS_REASON = 300;
const WALL = 500;

/** What is wrong with a file of this text; undefined when nothing is. */
export function judgeFile(path, text) {
  const lines = text.split('\n').length - 1;
  if (lines > WALL) return { fails: true, message: `${path}: ${lines} lines, the wall is ${WALL}` };
  if (lines > NEEDS_REASON && !/(\/\/|\*) .*\bLong because \w/.test(text)) {
    return { fails: false, message: `${path}: ${lines} lines; past ${NEEDS_REASON} say "Long because ..."` };
  }
  return undefined;
}

function* sourceFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && /\.(ts|cc|cpp|h|hpp)$/.test(entry.name)) yield join(entry.parentPath, entry.name);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const verdicts = ['lib', 'src-native']
    .flatMap((folder) => [...sourceFiles(folder)])
    .map((path) => judgeFile(path, readFileSync(path, 'utf8')))
    .filter((verdict) => verdict !== undefined);
  for (const { fails, message } of verdicts) console.log(`${fails ? 'error' : 'warning'}: ${message}`);
  if (verdicts.some(({ fails }) => fails)) process.exit(1);
}
