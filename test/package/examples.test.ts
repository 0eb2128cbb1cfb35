// Every example runs as it stands and prints what it promises.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';

const PROMISED: Readonly<Record<string, RegExp>> = {
  'http.cjs': /^GET \/hello answered by \d+\n$/,
  'echo.mjs': /^what is sent comes back\n$/,
  'prefix.cjs': /^shop\/books: the server of shop\/\* .*\nshop\/cart: the server of shop\/cart .*\n$/,
  'lookup.cjs': /^the first server\nthe second server\nshop\/none: ECONNREFUSED\n$/,
  'two-sites.cjs': /^found at the other site\nby way of 2 routers\n$/,
  'datagrams.cjs': /^count 1\ncount 2\n$/,
  'rolling-restart.cjs': /^\d{2,} requests, 0 failed, answered by [34] processes\n$/,
  'simulated-network.cjs': /^1000000 bytes arrived, in \d+\.\d s of simulated time\n$/,
};

it('there is a promise for every example', () => {
  const examples = readdirSync('examples').filter((file) => /\.[cm]js$/.test(file));
  expect(examples.sort()).toEqual(Object.keys(PROMISED).sort());
});

it.each(Object.entries(PROMISED))('%s', (file, promised) => {
  // A host of its own: nobody else's well-known port, nobody else's segment.
  const env = { ...process.env, SERVAL_PORT: String(20_000 + (process.pid % 20_000)), SERVAL_BROADCAST: '0' };
  const { status, stdout } = spawnSync(process.execPath, [`examples/${file}`], {
    env,
    encoding: 'utf8',
    timeout: 15_000,
  });
  expect(stdout).toMatch(promised);
  expect(status).toBe(0);
});
