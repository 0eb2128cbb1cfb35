#!/usr/bin/env node
// The `serval` command. Each subcommand is a file beside this one; here stands only the table of them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';

const { version, description } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as {
  version: string;
  description: string;
};

const program = new Command('serval').description(description).version(version).showHelpAfterError();

program.parseAsync().catch((error: unknown) => {
  console.error(`serval: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
