// Which processes a command is about: all of this user that share a host, one of them, or the one that holds the
// well-known port and so knows what all of them offer.

import type { Command } from 'commander';
import { ControlClient, type Entry } from '../../control/control-client';
import { findControlEndpoints, forgetEndpoint } from '../../control/control-endpoint';
import { WELL_KNOWN_PORT } from '../../limits';
import { CommandError } from './command-error';
import { wholeNumber } from './option-values';

/** As commander gives them. */
export interface SelectionOptions {
  readonly process?: number;
  readonly socket?: string;
  readonly port?: number;
  readonly json?: boolean;
}

export interface ServalProcess {
  readonly pid: number;
  readonly client: ControlClient;
  /** What /host says. */
  readonly host: Entry;
}

export function withSelection(command: Command): Command {
  return command
    .option('--process <pid>', 'the process to ask', wholeNumber(1, 2 ** 31 - 1))
    .option('--socket <path>', 'the control socket to ask (SERVAL_CONTROL of that process)')
    .option('--port <n>', 'well-known port of the host (default: SERVAL_PORT or 54325)', wholeNumber(1, 65_535))
    .option('--json', 'print JSON, one object a line');
}

/** All that answer. Throws a CommandError when there are none. */
export async function findProcesses(options: SelectionOptions): Promise<readonly ServalProcess[]> {
  const { processes, silent } = await lookAround(options);
  if (processes.length > 0) return processes;
  if (silent.length > 0) throw new CommandError(silent[0]!.code, silent[0]!.message);
  if (options.process !== undefined) {
    throw new CommandError(
      'CONTROL_NO_PROCESS',
      `process ${options.process} has no control interface for ${hostText(options)}`,
    );
  }
  throw new CommandError('CONTROL_NO_PROCESS', `no process of this user uses serval ${hostText(options)}`);
}

/** The one process to ask for what the whole host knows. */
export async function findHolder(options: SelectionOptions): Promise<ServalProcess> {
  const processes = await findProcesses(options);
  const holder = processes.find(({ host }) => host['role'] === 'holder');
  if (holder !== undefined) return holder;
  if (processes.length === 1) return processes[0]!;
  const pids = processes.map(({ pid }) => pid).join(', ');
  throw new CommandError(
    'CONTROL_NO_HOLDER',
    `no process of this user holds the port ${hostText(options)}: --process ${pids}?`,
  );
}

export interface SilentProcess {
  readonly pid: number;
  readonly code: string;
  readonly message: string;
}

/** Who answers, and who should but does not. */
export async function lookAround(
  options: SelectionOptions,
): Promise<{ readonly processes: readonly ServalProcess[]; readonly silent: readonly SilentProcess[] }> {
  const processes: ServalProcess[] = [];
  const silent: SilentProcess[] = [];
  await Promise.all(
    (await endpointsOf(options)).map(async ({ path, pid }) => {
      const client = new ControlClient(path);
      try {
        const host = await client.ask('GET', '/host');
        processes.push({ pid: Number(host['pid']), client, host });
      } catch (error) {
        const { code, message } = error as SilentProcess;
        // It went while we asked, or has left its socket behind.
        if (options.socket === undefined && (code === 'ECONNREFUSED' || code === 'ENOENT')) await forgetEndpoint(path);
        else silent.push({ pid, code, message: pid === 0 ? message : `process ${pid}: ${message}` });
      }
    }),
  );
  processes.sort((a, b) => a.pid - b.pid);
  return { processes, silent };
}

export function wellKnownPortOf({ port }: SelectionOptions): number {
  return port ?? (Number(process.env['SERVAL_PORT'] || WELL_KNOWN_PORT) || WELL_KNOWN_PORT);
}

async function endpointsOf(options: SelectionOptions) {
  if (options.socket !== undefined) return [{ path: options.socket, pid: 0 }];
  const endpoints = await findControlEndpoints(wellKnownPortOf(options));
  return endpoints.filter(({ pid }) => options.process === undefined || pid === options.process);
}

function hostText(options: SelectionOptions): string {
  return `on port ${wellKnownPortOf(options)}`;
}
