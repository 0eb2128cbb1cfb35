#!/usr/bin/env node
// The `serval` command. Each subcommand is a file beside this one; here stands only the table of them.

import { Command, InvalidArgumentError } from 'commander';
import { drainCommand } from './control/drain-command';
import { eventsCommand } from './control/events-command';
import { flowsCommand } from './control/flows-command';
import { hostsCommand } from './control/hosts-command';
import { migrateCommand } from './control/migrate-command';
import { pingCommand } from './control/ping-command';
import { routerCommand } from './control/router-command';
import { instancesCommand, servicesCommand } from './control/services-command';
import { tableCommand } from './control/table-command';
import { traceCommand } from './control/trace-command';
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

program.addCommand(hostsCommand());
program.addCommand(servicesCommand());
program.addCommand(instancesCommand());
program.addCommand(flowsCommand());
program.addCommand(eventsCommand());
program.addCommand(tableCommand());
program.addCommand(drainCommand());
program.addCommand(migrateCommand());
program.addCommand(pingCommand());
program.addCommand(traceCommand());
program.addCommand(routerCommand());
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
