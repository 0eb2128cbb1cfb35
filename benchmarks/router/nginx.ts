// nginx as a proxy of datagrams, with its default of one session for each client: every datagram of the benchmark is of
// one client, so no session is made while it is measured.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { PathEnd } from '../measuring/paths';

export class Nginx {
  private constructor(
    private readonly child: ChildProcess,
    private readonly pidFile: string,
  ) {}

  static async start(end: PathEnd, folder: string, listen: string, to: string): Promise<Nginx> {
    const home = join(folder, 'nginx');
    mkdirSync(home);
    const pidFile = join(home, 'pid');
    writeFileSync(join(home, 'nginx.conf'), configuration(pidFile, listen, to));
    const [first, ...rest] = [...end.command, 'nginx', '-p', home, '-c', join(home, 'nginx.conf'), '-e', 'stderr'];
    const child = spawn(first!, rest, { stdio: ['ignore', 2, 2] });
    for (let waited = 0; !existsSync(pidFile); waited += STEP_MS) {
      if (child.exitCode !== null || waited > PATIENCE_MS) throw new Error('nginx did not start');
      await pause(STEP_MS);
    }
    return new Nginx(child, pidFile);
  }

  /** Processor seconds of its one process. */
  cpu(): number {
    const fields = readFileSync(`/proc/${readFileSync(this.pidFile, 'utf8').trim()}/stat`, 'utf8')
      .split(') ')[1]!
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  }

  close(): void {
    this.child.kill('SIGKILL');
  }
}

/** `load_module`: Debian has the stream module in a file of its own. */
function configuration(pidFile: string, listen: string, to: string): string {
  const module = STREAM_MODULES.find((file) => existsSync(file));
  return `${module === undefined ? '' : `load_module ${module};`}
daemon off; master_process off; user root; pid ${pidFile}; error_log stderr crit;
worker_rlimit_nofile 4096;
events { worker_connections 1024; }
stream { server { listen ${listen} udp rcvbuf=4m; proxy_pass ${to}; } }
`;
}

const STREAM_MODULES = ['/usr/lib/nginx/modules/ngx_stream_module.so', '/usr/lib64/nginx/modules/ngx_stream_module.so'];
/** USER_HZ, which is the same on every Linux. */
const TICKS = 100;
const STEP_MS = 20;
const PATIENCE_MS = 5000;
