// One host with a control interface at a path of its own, for each test.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { createHost, type Host } from '../../lib/index';

export function oneHost(): { host(): Host; path(): string } {
  let folder: string;
  let host: Host;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'serval-control-'));
    const control = join(folder, 'host.sock');
    host = createHost({ links: ['udp-dgram'], broadcast: false, registry: false, control });
    await host.ready;
  });

  afterEach(async () => {
    await host.close();
    rmSync(folder, { recursive: true });
  });

  return { host: () => host, path: () => join(folder, 'host.sock') };
}
