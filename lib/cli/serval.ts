#!/usr/bin/env node
// The `serval` command. Each subcommand is a file beside this one; here stands only the table of them.

import { Command, InvalidArgumentError } from 'commander';
import { runDemo } from './demo/demo';
import { description, version } from './package-information';
import { perfCommand } from './perf/perf-command';

const program = new Command('serval').description(description).version(version).showHelpAfterError();

program
  .command('demo')
  .description('two replicas of a service, a client, and what happens when one replica is killed')
  .option('--seconds <n>', 'how long before and after the kill', wholeSeconds, 3)
  .option('--json', 'print one JSON object instead of the story', false)
  .action(runDemo);

program.addCommand(perfCommand());

program.parseAsync().catch((error: unknown) => {
  console.error(`serval: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});

function wholeSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return seconds;
}
