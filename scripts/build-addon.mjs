// Compiles the addon into build/Release. It is optional at run time, so a machine that cannot compile gets a
// sentence instead of an error, except where SERVAL_REQUIRE_NATIVE=1 (CI) asks for it.

import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { headersEnvironment } from './node-headers.mjs';

const required = process.env.SERVAL_REQUIRE_NATIVE === '1';

function giveUp(reason) {
  console.error(`serval: the addon was not compiled: ${reason}`);
  console.error('serval: without it the pure TypeScript link over node:dgram is used: the same protocol, slower.');
  process.exit(required ? 1 : 0);
}

function nodeGyp() {
  try {
    return createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  } catch {
    return undefined;
  }
}

function isConfigured() {
  return existsSync('build/Makefile') && statSync('build/Makefile').mtimeMs >= statSync('binding.gyp').mtimeMs;
}

if (process.platform !== 'linux') giveUp(`the native link is for Linux; this is ${process.platform}.`);
if (!existsSync('binding.gyp')) giveUp('there is no binding.gyp here.');
const gyp = nodeGyp();
if (gyp === undefined) giveUp('node-gyp is not installed (development dependencies were left out).');

const steps = isConfigured() ? ['build'] : ['configure', 'build'];
const result = spawnSync(process.execPath, [gyp, ...steps, '--loglevel=warn'], {
  stdio: 'inherit',
  env: headersEnvironment(),
});
if (result.status !== 0) giveUp('node-gyp failed (see above); it needs a C++ compiler, make and Python 3.');
