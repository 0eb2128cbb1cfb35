// Builds the binary of this platform that the tarball carries: prebuilds/<platform>-<arch>/, for Node-API, so one
// for every version of Node.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { headersEnvironment } from './node-headers.mjs';

const prebuildify = createRequire(import.meta.url).resolve('prebuildify/bin.js');
const options = ['--napi', '--strip', '--tag-libc', `--target=${process.versions.node}`];
const result = spawnSync(process.execPath, [prebuildify, ...options], { stdio: 'inherit', env: headersEnvironment() });
process.exit(result.status ?? 1);
