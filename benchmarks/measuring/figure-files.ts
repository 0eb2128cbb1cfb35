// What a benchmark of one of the paper's figures leaves: everything as JSON, and the figure.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeMachine, machineLine } from './machine';

export interface FigureFiles {
  /** 'figure7': the files' name. */
  readonly name: string;
  /** The folder. */
  readonly output: string;
  /** Beside the date and the machine. */
  readonly results: Readonly<Record<string, unknown>>;
  /** Spaces by which the JSON is indented; none, the default, puts it on one line. */
  readonly indentation?: number;
  /** The figure as SVG, with a line on what it was measured on. Absent: there is none. */
  readonly draw?: ((machine: string) => Promise<string>) | undefined;
}

export async function leaveFigure({ name, output, results, indentation, draw }: FigureFiles): Promise<void> {
  const machine = describeMachine();
  mkdirSync(output, { recursive: true });
  const all = { date: new Date().toISOString(), machine, ...results };
  writeFileSync(join(output, `${name}.json`), `${JSON.stringify(all, undefined, indentation)}\n`);
  if (draw === undefined) return;
  // A picture wants a package that is not installed everywhere.
  try {
    writeFileSync(join(output, `${name}.svg`), await draw(machineLine(machine)));
  } catch (error) {
    console.error(`there is no figure: ${(error as Error).message}`);
  }
}
