// The signaling as Promela models, checked exhaustively by SPIN (§4.4): every order of every packet, with losses,
// repetitions and reordering within bounds. Each has a broken twin, in which the checker must find the fault.

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Each with the bounds that stand in it, and with others where all at once would be too many states. */
const MODELS = [
  ['connect', ''],
  ['migrate', ''],
  ['both', ''],
  ['both', 'MOVES=2 EAGER=0'],
  ['both', 'LOSSES=2 EAGER=0'],
  ['finish', ''],
] as const;

/** What is taken away in them, or done wrong. */
const TWINS = [
  ['connect', 'BROKEN'],
  ['migrate', 'BROKEN'],
  ['both', 'BROKEN'],
  ['both', 'ALONE'],
  ['finish', 'BROKEN'],
] as const;

/** Milliseconds, on a busy machine. */
const PATIENCE = 120_000;

interface Verdict {
  readonly errors: number;
  readonly states: number;
  readonly violated: string | undefined;
}

function has(command: string): boolean {
  return spawnSync(command, ['--version']).error === undefined;
}

const isHere = has('spin') && has('cc');
if (!isHere) {
  if (process.env.CI !== undefined) throw new Error('spin or a C compiler is missing, and CI skips nothing');
  console.warn('test/model: skipped, for spin or a C compiler is missing (apt-get install spin)');
}

/** Has SPIN write a checker of the whole model, with these definitions, and runs it to the end or to the first error. */
function check(model: string, definitions: string): Verdict {
  const folder = mkdtempSync(join(tmpdir(), 'serval-model-'));
  try {
    for (const name of readdirSync(__dirname).filter((each) => /\.(pml|h)$/.test(each))) {
      copyFileSync(join(__dirname, name), join(folder, name));
    }
    const options = { cwd: folder, encoding: 'utf8', timeout: PATIENCE } as const;
    const flags = definitions.split(' ').flatMap((each) => (each === '' ? [] : [`-D${each}`]));
    execFileSync('spin', [...flags, '-a', `${model}.pml`], options);
    execFileSync('cc', ['-O1', '-w', '-DSAFETY', '-o', 'pan', 'pan.c'], options);
    return verdictOf(execFileSync('./pan', ['-m200000'], options));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function verdictOf(report: string): Verdict {
  // A search that was cut off proves nothing.
  expect(report).not.toMatch(/max search depth too small|Search not completed: |out of memory/);
  const number = (pattern: RegExp): number => Number(pattern.exec(report)?.[1] ?? Number.NaN);
  return {
    errors: number(/errors: (\d+)/),
    states: number(/(\d+) states, stored/),
    violated: /pan:1: (assertion violated .*?|invalid end state) \(at depth/.exec(report)?.[1],
  };
}

describe.skipIf(!isHere)('SPIN', () => {
  it.each(MODELS)(
    'finds no fault in %s %s, in any state',
    (model, bounds) => {
      const { errors, states } = check(model, bounds);
      console.log(`${model} ${bounds}: ${states} states, ${errors} errors`);
      expect(errors).toBe(0);
      expect(states).toBeGreaterThan(5000);
    },
    PATIENCE,
  );

  it.each(TWINS)('finds the fault in %s, %s', (model, fault) => {
    const { errors, violated } = check(model, fault);
    expect(errors).toBe(1);
    expect(violated).toMatch(/^assertion violated/);
  });
});
