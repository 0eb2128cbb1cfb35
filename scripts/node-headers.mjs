// Where the headers of the running Node lie, if they came with it; otherwise node-gyp downloads them.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The environment for node-gyp: all cores, and `nodedir` at the headers beside this Node when they are there. */
export function headersEnvironment() {
  const prefix = join(dirname(process.execPath), '..');
  const present = existsSync(join(prefix, 'include', 'node', 'node_api.h'));
  const parallel = { ...process.env, JOBS: 'max' };
  return present ? { ...parallel, npm_config_nodedir: prefix } : parallel;
}
