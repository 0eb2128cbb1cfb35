// Whether this machine can compile the addon. Where SERVAL_REQUIRE_NATIVE=1 (CI) nobody asks: it has to.

import { spawnSync } from 'node:child_process';

export function canCompile(): boolean {
  if (process.env.SERVAL_REQUIRE_NATIVE === '1') return true;
  const tools = ['c++', 'make', 'python3'];
  return process.platform === 'linux' && tools.every((tool) => spawnSync(tool, ['--version']).status === 0);
}
