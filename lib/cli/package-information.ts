// What package.json says about this package.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const { version, description } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as {
  readonly version: string;
  readonly description: string;
};
