// `serval router`: a process that holds the well-known port, takes registrations and forwards first packets, and does
// nothing else. Interrupted, it says goodbye to the hosts below it and ends.

import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import picocolors from 'picocolors';
import { createRouter, type Router, type RouterOptions } from '../../index';
import { interruption, whenAborted } from '../interruption';
import { countText } from './cells';
import { CommandError, reporting } from './command-error';
import { secondsWithin, wholeNumber } from './option-values';
import { say } from './rows';

interface RouterCommandOptions {
  readonly router?: string;
  readonly aggregate: readonly string[];
  readonly picker: readonly string[];
  readonly partition: readonly string[];
  readonly slowStart?: number;
  readonly relayReplies?: boolean;
  readonly port?: number;
  readonly json?: boolean;
}

export function routerCommand(): Command {
  return new Command('router')
    .option('--router <address>', 'the router above: ADDRESS, ADDRESS:PORT or auto (default: SERVAL_ROUTER)')
    .option(
      '--aggregate <prefix>',
      'announce this prefix (acme/*) upstream instead of what lies under it; may be repeated',
      also,
      [],
    )
    .option(
      '--picker <prefix=picker>',
      'how one instance of several is chosen (acme/*=rendezvous); may be repeated',
      also,
      [],
    )
    .option('--partition <prefix=parts>', 'spread a prefix over its instances in so many parts (cache/*=64)', also, [])
    .option(
      '--slow-start <seconds>',
      'in which the share of a new instance grows to the whole',
      secondsWithin(0, 86_400),
    )
    .option('--relay-replies', 'have answers to first packets come back through here, for clients behind firewalls')
    .option('--port <n>', 'the well-known port (default: SERVAL_PORT or 54325)', wholeNumber(1, 65_535))
    .option('--json', 'print JSON, one object a line')
    .description('be a service router, until interrupted')
    .action((options: RouterCommandOptions) => reporting('router', options.json, () => run(options)));
}

function also(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

async function run(options: RouterCommandOptions): Promise<void> {
  const interrupted = interruption();
  const router = createRouter(routerOptions(options));
  try {
    await Promise.race([router.ready, whenAborted(interrupted)]);
    await tell(router, options);
    await showCounters(router, options, interrupted);
  } finally {
    await router.close();
  }
  await say(options.json ? `${JSON.stringify({ event: 'closed' })}\n` : 'closed\n');
}

function routerOptions(options: RouterCommandOptions): RouterOptions {
  const { router, aggregate, picker, partition, slowStart, relayReplies, port } = options;
  // What the values must be is the router's to check.
  const pickers = pairsOf('--picker', picker) as NonNullable<RouterOptions['pickers']>;
  const parts = Object.entries(pairsOf('--partition', partition)).map(([prefix, count]) => [prefix, Number(count)]);
  return {
    aggregates: aggregate,
    partitions: Object.fromEntries(parts),
    slowStart: slowStart === undefined ? undefined : slowStart * 1000,
    relayReplies,
    router,
    port,
    ...(picker.length === 0 ? undefined : { pickers }),
  };
}

function pairsOf(option: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.lastIndexOf('=');
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      throw new CommandError('ERR_INVALID_ARG_VALUE', `${option} must be PREFIX=VALUE, not ${text}`);
    }),
  );
}

async function tell(router: Router, { json, aggregate }: RouterCommandOptions): Promise<void> {
  const { port, host } = router;
  const links = [...new Set(host.linkKinds)];
  const upstream = host.configuration.router?.toString() ?? null;
  if (json) {
    const facts = { event: 'listening', pid: process.pid, port, links, router: upstream, aggregates: aggregate };
    return say(`${JSON.stringify({ ...facts, control: host.controlPath ?? null })}\n`);
  }
  const above = upstream === null ? '' : `, below ${upstream}`;
  await say(`${picocolors.bold('service router')} on port ${port}, link ${links.join(', ')}${above}\n`);
}

/** One line, written over itself each second; nothing where nobody looks. Until interrupted. */
async function showCounters(router: Router, { json }: RouterCommandOptions, interrupted: AbortSignal): Promise<void> {
  if (json || !process.stdout.isTTY) return whenAborted(interrupted);
  while (!interrupted.aborted) {
    const { stack, table } = router.host.statistics();
    const parts = [
      `${router.hosts().length} hosts`,
      `${router.instances().length} instances`,
      `${countText(stack['forwarded'] ?? 0)} first packets forwarded`,
      `${countText(table.packetsDropped)} dropped`,
    ];
    await say(`\r${parts.join(', ')}${ERASE_TO_END}`);
    await pause(1000, undefined, { signal: interrupted }).catch(() => {});
  }
  await say('\n');
}

const ERASE_TO_END = '\x1b[K';
