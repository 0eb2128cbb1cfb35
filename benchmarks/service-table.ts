// The service table with 1 to a million prefixes of mixed length: lookups, changes and memory (§4.2).
// Arguments: [--json] [--rounds N] [--counts N,N,...]. Each count is measured in a process of its own.

import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { READ_AHEAD_IDS, READ_AHEAD_RULES } from '../lib/limits';
import { PICKER_NAMES, type PickerName, pickerNamed } from '../lib/table/pickers/picker-names';
import { PrefixIndex } from '../lib/table/prefix-index';
import type { ForwardRule } from '../lib/table/service-rule';
import { ResolutionReach, ServiceTable } from '../lib/table/service-table';
import type { Instant } from '../lib/time/instant';
import { SeededRandom } from '../lib/time/seeded-random';
import { NetworkAddress } from '../lib/wire/network-address';
import { ServiceID, ServicePrefix } from '../lib/wire/service-id';
import { describeMachine, machineLine } from './measuring/machine';
import { memoryLatency } from './measuring/memory-latency';
import { inMillions, processorSeconds, rate, type Summary, summarize } from './measuring/rounds';
import { type Goal, type Report, type Row, rowOf } from './measuring/rows';

interface Result {
  readonly prefixes: number;
  /** PrefixIndex.longestMatch for random ids under random stored prefixes, a processor second; each round's. */
  readonly longestMatchRounds: readonly number[];
  readonly longestMatches: Summary;
  /** ServiceTable.resolve and recordMatch for the same. */
  readonly resolutions: Summary;
  /** The same for ids under no prefix but the default rule's. */
  readonly defaults: Summary;
  /** Both when ids come in bursts, and the table reads ahead for each burst. */
  readonly burstResolutions: Summary;
  readonly burstDefaults: Summary;
  readonly inserts: Summary;
  readonly deletes: Summary;
  /** Bytes a rule: growth of the process, and of what V8 accounts for (heap and array buffers). */
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly residentMegabytes: number;
}

const LOOKUPS = 1 << 20;
/** Few enough that no collection of the heap comes between. */
const GROWTH_LOOKUPS = 4096;
/** Rules are made and then timed in batches, so that making them is not counted. */
const BATCH = 1000;
const NOW = 0 as Instant;
const GOAL: Goal = {
  name: 'lookups among 1,000,000 prefixes',
  path: '',
  rival: '',
  unit: 'per s and core',
  decimals: 0,
  betterIs: 'more',
  atLeast: 2e6,
  aim: 10e6,
};
const QUERY = { protocol: 6, reach: ResolutionReach.any } as const;

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    counts: { type: 'string', default: '1,1000,100000,1000000' },
    child: { type: 'string' },
  },
});

function report(counts: readonly number[]): void {
  const machine = describeMachine();
  const latency = summarize([1, 2, 3].map(() => memoryLatency()));
  const results = counts.map((count) => measureInChild(count));
  const sets = PICKER_NAMES.flatMap((picker) => [1, 10, 100, 1000].map((rules) => measureSet(rules, picker)));
  if (options.json) {
    const report: Report = { benchmark: 'service-table', rows: results.flatMap(rowsOf), skipped: [] };
    console.log(JSON.stringify({ ...report, machine, memoryLatency: latency, results, sets }, undefined, 2));
    return;
  }
  console.log(machineLine(machine));
  console.log(
    `A read from memory: ${latency.median.toFixed(0)} ns. Millions a processor second, median (minimum-maximum):\n`,
  );
  console.table(results.map(tableRow));
  console.log('Resolutions with several FORWARD rules of one prefix and priority:\n');
  console.table(sets.map(setRow));
}

/** Only the largest table has a goal. */
function rowsOf({ prefixes, longestMatchRounds }: Result): readonly Row[] {
  return prefixes === 1_000_000 ? [rowOf(GOAL, longestMatchRounds)] : [];
}

function tableRow(result: Result): Record<string, string | number> {
  return {
    prefixes: result.prefixes,
    'longest match': inMillions(result.longestMatches),
    'resolve + count': inMillions(result.resolutions),
    'resolve, bursts': inMillions(result.burstResolutions),
    'default rule': inMillions(result.defaults),
    'default, bursts': inMillions(result.burstDefaults),
    inserts: inMillions(result.inserts),
    deletes: inMillions(result.deletes),
    'RSS B/rule': result.prefixes < 1000 ? '-' : Math.round(result.residentBytes),
    'heap B/rule': result.prefixes < 1000 ? '-' : Math.round(result.heapBytes),
    'RSS MB': Math.round(result.residentMegabytes),
  };
}

function measureInChild(count: number): Result {
  const parameters = ['--expose-gc', __filename, '--child', `${count}`, '--rounds', options.rounds];
  const child = spawnSync(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`the measurement of ${count} prefixes failed`);
  return JSON.parse(child.stdout) as Result;
}

function measure(count: number, rounds: number): Result {
  fillTable(new ServiceTable(), new Prefixes(20_000)); // compiles what is measured, and grows the young heap
  const prefixes = new Prefixes(count);
  const targets = prefixes.idsUnder(LOOKUPS);
  const strangers = randomWords(LOOKUPS * 8, 7);

  const before = memory();
  const table = new ServiceTable();
  const inserts = [fillTable(table, prefixes)];
  const after = memory();
  const rules = table.size;
  table.addRule({ ...prefixes.rule(0), prefix: ServicePrefix.any }, NOW);
  const resolutions = summarize(lookups(rounds, targets, (id) => resolveAndCount(table, id)));
  const defaults = summarize(lookups(rounds, strangers, (id) => resolveAndCount(table, id)));
  const burstResolutions = burstLookups(rounds, targets, table);
  const burstDefaults = burstLookups(rounds, strangers, table);
  const deletes: number[] = [];
  for (let round = 0; round < Math.min(rounds, 3); round++) {
    deletes.push(emptyTable(table, prefixes));
    inserts.push(fillTable(table, prefixes));
  }
  const index = new PrefixIndex<number>();
  for (let place = 0; place < count; place++) index.insert(prefixes.prefix(place), place);
  const longestMatchRounds = lookups(rounds, targets, (id) => index.longestMatch(id));
  return {
    prefixes: rules,
    longestMatchRounds,
    longestMatches: summarize(longestMatchRounds),
    resolutions,
    defaults,
    burstResolutions,
    burstDefaults,
    inserts: summarize(inserts),
    deletes: summarize(deletes),
    residentBytes: (after.resident - before.resident) / rules,
    heapBytes: (after.heap - before.heap) / rules,
    residentMegabytes: (after.resident - before.resident) / 1e6,
  };
}

interface SetResult {
  readonly picker: PickerName;
  readonly rules: number;
  readonly resolutions: Summary;
  /** Growth of the heap in a round without a collection. */
  readonly bytesPerResolution: number;
}

/** Rules of one prefix of which a picker chooses one for each packet. */
function measureSet(rules: number, picker: PickerName): SetResult {
  const table = new ServiceTable(pickerNamed(picker));
  const prefixes = new Prefixes(1);
  for (let index = 0; index < rules; index++) {
    table.addRule({ ...prefixes.rule(0), address: addressOf(index), weight: (index % 9) + 1 }, NOW);
  }
  const words = prefixes.idsUnder(1 << 16);
  const resolutions = summarize(lookups(5, words, (id) => resolveAndCount(table, id)));
  return { picker, rules, resolutions, bytesPerResolution: heapGrowth(table, words) };
}

/** The least of three rounds: the first may compile, and make objects as it does. */
function heapGrowth(table: ServiceTable, words: Uint32Array): number {
  const id = ServiceID.fromWords(words.subarray(0, 8));
  const growths = [1, 2, 3].map(() => {
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < GROWTH_LOOKUPS; count++) resolveAndCount(table, id);
    return (process.memoryUsage().heapUsed - before) / GROWTH_LOOKUPS;
  });
  // Below 0 there was a collection.
  return Math.min(...growths.filter((growth) => growth >= 0));
}

function setRow({ picker, rules, resolutions, bytesPerResolution }: SetResult): Record<string, string | number> {
  return {
    picker,
    rules,
    'M resolutions/s': inMillions(resolutions),
    'ns each': Math.round(1e9 / resolutions.median),
    'bytes of heap each': bytesPerResolution.toFixed(1),
  };
}

/** All lookups go through one ServiceID that is overwritten, as a parsed packet's would be read once. */
function lookups(
  rounds: number,
  words: Uint32Array,
  look: (id: ServiceID) => unknown,
  beforeBurst?: (at: number) => void,
): number[] {
  const id = ServiceID.fromWords(new Uint32Array(8));
  const count = words.length / 8;
  const run = (): void => {
    for (let at = 0; at < words.length; at += 8) {
      if (beforeBurst !== undefined && at % (READ_AHEAD_IDS * 8) === 0) beforeBurst(at);
      for (let index = 0; index < 8; index++) id.words[index] = words[at + index]!;
      if (look(id) === undefined) throw new Error('an id that must match did not');
    }
  };
  run();
  return Array.from({ length: rounds }, () => rate(count, run));
}

/** `resolveAndCount` as the service access layer has it done when a burst comes: the table is told what is coming. */
function burstLookups(rounds: number, words: Uint32Array, table: ServiceTable): Summary {
  const ids = new Uint32Array(READ_AHEAD_IDS * 8);
  const readAhead = (from: number): void => {
    if (table.size < READ_AHEAD_RULES) return;
    for (let word = 0; word < ids.length; word++) ids[word] = words[from + word]!;
    table.readAhead(ids, READ_AHEAD_IDS);
  };
  return summarize(lookups(rounds, words, (id) => resolveAndCount(table, id), readAhead));
}

const random = SeededRandom.of(3);

function resolveAndCount(table: ServiceTable, id: ServiceID): unknown {
  const rule = table.resolve(id, QUERY, random);
  if (rule !== undefined) table.recordMatch(rule, 100, NOW);
  return rule;
}

function fillTable(table: ServiceTable, prefixes: Prefixes): number {
  return inBatches(prefixes, (rule) => table.addRule(rule, NOW));
}

function emptyTable(table: ServiceTable, prefixes: Prefixes): number {
  return inBatches(prefixes, (rule) => table.deleteRule(rule));
}

function inBatches(prefixes: Prefixes, change: (rule: ForwardRule) => void): number {
  let seconds = 0;
  for (let from = 0; from < prefixes.count; from += BATCH) {
    const length = Math.min(BATCH, prefixes.count - from);
    const rules = Array.from({ length }, (_, index) => prefixes.rule(from + index));
    const start = processorSeconds();
    for (const rule of rules) change(rule);
    seconds += processorSeconds() - start;
  }
  return prefixes.count / seconds;
}

/** Half of the lengths are those of names (64, 128, 192, 256), the others anything from 16 on. No object for each. */
class Prefixes {
  private readonly words: Uint32Array;
  private readonly lengths: Uint16Array;

  constructor(readonly count: number) {
    const lengths = SeededRandom.of(2);
    this.words = randomWords(count * 8, 1);
    this.lengths = Uint16Array.from({ length: count }, () => {
      return lengths.uint32() % 2 === 0 ? 64 * ((lengths.uint32() % 4) + 1) : 16 + (lengths.uint32() % 241);
    });
  }

  prefix(index: number): ServicePrefix {
    return ServicePrefix.of(ServiceID.fromWords(this.words.subarray(index * 8, index * 8 + 8)), this.lengths[index]!);
  }

  rule(index: number): ForwardRule {
    const terms = { priority: 1, weight: 1, link: 0, broadcast: false, scope: 'network' } as const;
    return { action: 'forward', prefix: this.prefix(index), address: addressOf(index), ...terms };
  }

  /** Random bits behind those of a random prefix. */
  idsUnder(count: number): Uint32Array {
    const choice = SeededRandom.of(4);
    const words = randomWords(count * 8, 5);
    for (let place = 0; place < count; place++) {
      const index = choice.uint32() % this.count;
      for (let word = 0; word < 8; word++) {
        const bits = this.lengths[index]! - word * 32;
        const mask = bits <= 0 ? 0 : bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
        const at = place * 8 + word;
        words[at] = (this.words[index * 8 + word]! & mask) | (words[at]! & ~mask);
      }
    }
    return words;
  }
}

function randomWords(count: number, seed: number): Uint32Array {
  const source = SeededRandom.of(seed);
  const words = new Uint32Array(count);
  for (let index = 0; index < count; index++) words[index] = source.uint32();
  return words;
}

function addressOf(index: number): NetworkAddress {
  return NetworkAddress.fromWords(4, 54325, 0x0a000000 + (index % 65_536), 0, 0, 0);
}

function memory(): { readonly resident: number; readonly heap: number } {
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  const usage = process.memoryUsage();
  return { resident: usage.rss, heap: usage.heapUsed + usage.arrayBuffers };
}

if (options.child === undefined) report(options.counts.split(',').map(Number));
else process.stdout.write(JSON.stringify(measure(Number(options.child), Number(options.rounds))));
