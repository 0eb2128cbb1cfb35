// `serval demo`: two replicas of an HTTP service and a client, each a process of its own, and one replica is
// killed while requests run. Prints what happens so that a newcomer sees what a serviceID is for.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import picocolors from 'picocolors';
import type { ClientReport } from './client';
import { DEMO_SERVICE } from './demo-service';
import { Tally } from './tally';

export interface DemoOptions {
  /** Seconds before and after the kill. */
  readonly seconds: number;
  readonly json: boolean;
}

export async function runDemo(options: DemoOptions): Promise<void> {
  const say = options.json ? (): void => {} : (line: string): void => void process.stdout.write(`${line}\n`);
  const children: ChildProcess[] = [];
  const start = (...args: string[]): ChildProcess => {
    const child = fork(join(__dirname, 'process.js'), args, { env: demoEnvironment() });
    children.push(child);
    return child;
  };
  try {
    await tellStory(options, say, start);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

async function tellStory(
  options: DemoOptions,
  say: (line: string) => void,
  start: (...args: string[]) => ChildProcess,
): Promise<void> {
  const { bold, cyan, red } = picocolors;
  say(bold(`An HTTP service named "${DEMO_SERVICE}", two replicas, one client: four processes on this machine.\n`));
  const replicas = { A: start('replica', 'A'), B: start('replica', 'B') };
  await Promise.all(Object.values(replicas).map((child) => once(child, 'message')));
  say(`${cyan('replicas')}  A (pid ${replicas.A.pid}) and B (pid ${replicas.B.pid}) listen on "${DEMO_SERVICE}".`);
  say('          Listening is all they did: no port, no registry to configure, no load balancer.\n');
  const client = start('client');
  say(`${cyan('client')}    (pid ${client.pid}) connects to "${DEMO_SERVICE}", once for each request.\n`);
  // Whatever the machine's load: count from the first answer on.
  await once(client, 'message');
  const before = await observe(client, options.seconds, 'both run', say);
  const killed = Date.now();
  replicas.A.kill('SIGKILL');
  say(`${red('kill -9')}   A dies, without a word to anyone.\n`);
  const after = await observe(client, options.seconds, 'B alone', say);
  report(options, say, before, after, after.lastOf('A', killed));
}

/** Counts the client's reports for a while, with a line that is rewritten on a terminal. */
async function observe(
  client: ChildProcess,
  forSeconds: number,
  title: string,
  say: (line: string) => void,
): Promise<Tally> {
  const tally = new Tally();
  const listen = (message: unknown): void => tally.add(message as ClientReport);
  client.on('message', listen);
  for (let second = 0; second < forSeconds; second++) {
    await pause(1000);
    say(`${title.padEnd(10)}${tally.bars()}`);
  }
  client.off('message', listen);
  say('');
  return tally;
}

function report(
  options: DemoOptions,
  say: (line: string) => void,
  before: Tally,
  after: Tally,
  lastOfA: number | undefined,
): void {
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ service: DEMO_SERVICE, before: before.toJSON(), after: after.toJSON() })}\n`,
    );
    return;
  }
  const { bold, green } = picocolors;
  say(bold('What happened'));
  say(
    `  While both ran, ${before.total} requests were spread by name: A answered ${before.of('A')}, B ${before.of('B')}.`,
  );
  say('  A was killed. Its registration ended with its process; every later connect found B.');
  if (lastOfA !== undefined) say(`  The last answer of A arrived ${lastOfA} ms after the kill.`);
  say(`  ${after.retried} requests were with A at that moment and were asked again; ${after.failed} failed for good.`);
  say(`  B answered the other ${after.of('B')}. The client noticed nothing and was told nothing.`);
  say(after.failed === 0 ? green('\n  0 failed requests.') : `\n  ${after.failed} failed requests.`);
}

/** A port of its own, and no broadcast: the demo does not meet other users of serval on this network. */
function demoEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, SERVAL_PORT: process.env.SERVAL_PORT ?? DEMO_PORT, SERVAL_BROADCAST: '0' };
}

const DEMO_PORT = '54399';
