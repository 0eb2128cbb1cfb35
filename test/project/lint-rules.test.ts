// The linter holds the directions of imports and the sans-IO line. Every forbidden thing is written into a small
// tree of its own, linted with the project's configuration, and has to be found there.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** What each folder of lib/ may import; errors and limits may be imported by all. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  time: [],
  wire: [],
  table: ['time', 'wire'],
  sal: ['time', 'wire', 'table'],
  transport: ['time', 'wire'],
  stack: ['time', 'wire', 'table', 'sal', 'transport'],
  controller: ['time', 'wire', 'table', 'stack'],
  driver: ['time', 'wire', 'table', 'sal', 'transport', 'stack', 'controller'],
  native: ['time', 'wire'],
  link: ['time', 'wire', 'native'],
  resolver: ['time', 'wire'],
  control: ['time', 'wire', 'table', 'sal', 'stack'],
  host: [
    ...['time', 'wire', 'table', 'sal', 'transport', 'stack', 'controller', 'driver', 'native', 'link', 'resolver'],
    'control',
  ],
  sim: ['time', 'wire', 'table', 'sal', 'transport', 'stack', 'controller', 'driver'],
  socket: ['time', 'wire'],
  http: ['time', 'wire', 'socket'],
  router: ['time', 'wire', 'table', 'controller', 'host', 'socket'],
  cli: ['time', 'wire', 'control'],
};
const FOLDERS = Object.keys(ALLOWED);
const BELOW_THE_LINE = ['time', 'wire', 'table', 'sal', 'transport', 'stack', 'controller', 'driver'];

/** Statement that does I/O or takes time or chance from around it -> the rule that must find it. */
const IMPURE: Readonly<Record<string, string>> = {
  "import { readFileSync } from 'node:fs'; export const x = readFileSync;": 'noNodejsModules',
  "import { readFileSync } from 'fs'; export const x = readFileSync;": 'noNodejsModules',
  "import { setTimeout as wait } from 'node:timers/promises'; export const x = wait;": 'noRestrictedImports',
  "export const x = import('node:fs');": 'noRestrictedImports',
  "export const x = require('../sal/flow');": 'noRestrictedGlobals',
  'export const x = setTimeout;': 'noRestrictedGlobals',
  'export const x = setInterval;': 'noRestrictedGlobals',
  'export const x = setImmediate;': 'noRestrictedGlobals',
  'export const x = queueMicrotask;': 'noRestrictedGlobals',
  'export const x = new Date();': 'noRestrictedGlobals',
  'export const x = Date.now();': 'noRestrictedGlobals',
  'export const x = performance.now();': 'noRestrictedGlobals',
  'export const x = process.hrtime();': 'noRestrictedGlobals',
  'export const x = globalThis.setTimeout;': 'noRestrictedGlobals',
  'export const x = crypto.getRandomValues;': 'noRestrictedGlobals',
  'console.log(1); export const x = 1;': 'noRestrictedGlobals',
  'export const x = Math.random();': 'noJsRestrictedProperties',
  'export const { random: x } = Math;': 'noJsRestrictedProperties',
};

let tree: string;
let findings: Finding[];

interface Finding {
  readonly file: string;
  readonly rule: string;
}

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'serval-lint-'));
  copyFileSync('biome.json', join(tree, 'biome.json'));
  copyFileSync('.gitignore', join(tree, '.gitignore'));
  symlinkSync(resolve('node_modules'), join(tree, 'node_modules'));
  for (const from of FOLDERS) {
    for (const to of FOLDERS) write(importFile(from, to), `import { x } from '../${to}/x';\nexport const y = x;\n`);
    write(
      deepImportFile(from),
      "import { x } from '../../errors';\nimport { z } from '../y';\nexport const y = [x, z];\n",
    );
    write(`lib/${from}/own.ts`, "import { x } from '../limits';\nimport { z } from './x';\nexport const y = [x, z];\n");
    for (const [index, text] of Object.keys(IMPURE).entries()) write(impureFile(from, index), `${text}\n`);
  }
  write('lib/link/properties.ts', "import type { x } from '../sal/link-properties';\nexport type Y = x;\n");
  for (const folder of ['resolver', 'host', 'control']) {
    write(`lib/${folder}/names.ts`, "import type { x } from '../socket/service-name';\nexport type Y = x;\n");
  }
  for (const folder of ['socket', 'http']) {
    write(`lib/${folder}/handles.ts`, "import type { x } from '../driver/handles';\nexport type Y = x;\n");
  }
  findings = lint();
});

afterAll(() => rmSync(tree, { recursive: true, force: true }));

describe('imports point down', () => {
  for (const from of FOLDERS) {
    it(`${from} may import ${ALLOWED[from]!.join(', ') || 'nothing of ours'}`, () => {
      const others = FOLDERS.filter((folder) => folder !== from);
      const permitted = others.filter((to) => !isFound(importFile(from, to), 'noRestrictedImports'));
      expect(permitted.sort()).toEqual([...ALLOWED[from]!].sort());
    });
  }

  it('from anywhere errors, limits and the own folder may be imported', () => {
    for (const from of FOLDERS) {
      expect(isFound(`lib/${from}/own.ts`, 'noRestrictedImports')).toBe(false);
      expect(isFound(deepImportFile(from), 'noRestrictedImports')).toBe(false);
    }
  });

  it('a link may know the properties it has, a socket its handles, others names, and no more of those folders', () => {
    expect(isFound('lib/resolver/names.ts', 'noRestrictedImports')).toBe(false);
    expect(isFound('lib/host/names.ts', 'noRestrictedImports')).toBe(false);
    expect(isFound('lib/control/names.ts', 'noRestrictedImports')).toBe(false);
    expect(isFound('lib/link/properties.ts', 'noRestrictedImports')).toBe(false);
    expect(isFound('lib/socket/handles.ts', 'noRestrictedImports')).toBe(false);
    expect(isFound('lib/http/handles.ts', 'noRestrictedImports')).toBe(false);
  });
});

describe('nothing below the sans-IO line touches I/O, time or chance', () => {
  for (const [index, [text, rule]] of Object.entries(IMPURE).entries()) {
    it(text.trim(), () => {
      for (const folder of BELOW_THE_LINE)
        expect([folder, isFound(impureFile(folder, index), rule)]).toEqual([folder, true]);
    });
  }

  it('above it timers are allowed', () => {
    const timer = Object.keys(IMPURE).indexOf('export const x = setTimeout;');
    expect(isFound(impureFile('host', timer), 'noRestrictedGlobals')).toBe(false);
  });
});

function importFile(from: string, to: string): string {
  return `lib/${from}/imports-${to}.ts`;
}

function deepImportFile(from: string): string {
  return `lib/${from}/deeper/own.ts`;
}

function impureFile(folder: string, index: number): string {
  return `lib/${folder}/impure-${index}.ts`;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

function lint(): Finding[] {
  const biome = resolve('node_modules/.bin/biome');
  const options = ['lint', '--reporter=github', '--max-diagnostics=none', '--vcs-enabled=false', 'lib'];
  const { stdout } = spawnSync(biome, options, { cwd: tree, encoding: 'utf8', maxBuffer: 1 << 26 });
  const line = /^::\w+ title=lint\/\w+\/(\w+),file=(?:.*\/)?(lib\/[^,]+),/gm;
  return [...stdout.matchAll(line)].map((match) => ({ rule: match[1]!, file: match[2]! }));
}

function isFound(file: string, rule: string): boolean {
  return findings.some((finding) => finding.file === file && finding.rule === rule);
}
