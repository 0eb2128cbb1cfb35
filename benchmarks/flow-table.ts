// The flow table next to a Map, both from a flowID to an object: lookups for random flowIDs.
// Arguments: [--json].

import { parseArgs } from 'node:util';
import { FlowTable } from '../lib/table/flow-table';
import { SeededRandom } from '../lib/time/seeded-random';
import type { FlowID } from '../lib/wire/flow-id';
import { describeMachine, machineLine } from './measuring/machine';
import { inMillions, rate, summarize } from './measuring/rounds';

const LOOKUPS = 1 << 20;
const ROUNDS = 7;
const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const machine = describeMachine();
const results = [100, 10_000, 100_000].map(compare);

if (options.json) console.log(JSON.stringify({ benchmark: 'flow-table', machine, results }, undefined, 2));
else {
  console.log(machineLine(machine));
  console.log('Millions of lookups a processor second, median (minimum-maximum):\n');
  console.table(
    results.map(({ flows, flowTable, map, signedMap }) => ({
      flows,
      FlowTable: inMillions(flowTable),
      Map: inMillions(map),
      'Map of signed keys': inMillions(signedMap),
    })),
  );
}

function compare(flows: number) {
  const random = SeededRandom.of(flows);
  const table = new FlowTable<object>();
  const map = new Map<number, object>();
  const signedMap = new Map<number, object>();
  const ids: FlowID[] = [];
  for (let index = 0; index < flows; index++) {
    const flow = { index };
    const id = table.allocate(random, flow)!;
    map.set(id, flow);
    signedMap.set(id | 0, flow);
    ids.push(id);
  }
  const asked = Uint32Array.from({ length: LOOKUPS }, () => ids[random.uint32() % flows]!);
  const contenders = {
    flowTable: lookups(asked, (id) => table.get(id)),
    map: lookups(asked, (id) => map.get(id)),
    signedMap: lookups(asked, (id) => signedMap.get(id | 0)),
  };
  const rates = { flowTable: [] as number[], map: [] as number[], signedMap: [] as number[] };
  // In turn, so that other work on the machine meets all alike; the first round compiles.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const name of ['flowTable', 'map', 'signedMap'] as const) {
      const measured = rate(LOOKUPS, contenders[name]);
      if (round > 0) rates[name].push(measured);
    }
  }
  return {
    flows,
    flowTable: summarize(rates.flowTable),
    map: summarize(rates.map),
    signedMap: summarize(rates.signedMap),
  };
}

/** Each contender gets a loop of its own, compiled for it alone. */
function lookups(asked: Uint32Array, look: (id: FlowID) => object | undefined): () => void {
  const loop = new Function('asked', 'look', 'for (let i = 0; i < asked.length; i++) if (!look(asked[i])) throw i;');
  return () => loop(asked, look);
}
