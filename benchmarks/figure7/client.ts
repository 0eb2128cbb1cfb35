// A client: so many requests open at any time, each on a connection of its own, and every byte of the answers compared.
// Started by figure7 with its task; never by hand.

import { setTimeout as pause } from 'node:timers/promises';
import { clock } from '../measuring/clock';
import { obey } from '../measuring/orders';
import { type ContenderName, contenders } from './contenders';
import { type Answer, request } from './request';
import { BIN, type ClientOrders, type Failure, fileOf, type Probe, type Task } from './task';

const task = JSON.parse(process.argv[2]!) as Task;
const contender = contenders[task.contender as ContenderName];
const file = fileOf(task.fileBytes);

let origin = 0;
let isEnding = false;
let openRequests = 0;
let ended: (() => void) | undefined;
let stopped: (() => void) | undefined;
const bytes: number[][] = [];
const answered: number[] = [];
const failures: Failure[] = [];

const binNow = (): number => Math.floor((clock() - origin) / BIN);

function countBytes(server: number, count: number): void {
  bytes[server] ??= [];
  const bins = bytes[server];
  const bin = binNow();
  bins[bin] = (bins[bin] ?? 0) + count;
}

/** The next request begins when this one has its answer. */
async function keepOne(): Promise<void> {
  openRequests++;
  while (!isEnding) {
    const failure = await one(file, countBytes);
    if (failure === undefined) {
      const bin = binNow();
      answered[bin] = (answered[bin] ?? 0) + 1;
    } else {
      failures.push(failure);
      await pause(AFTER_FAILURE);
    }
  }
  if (--openRequests === 0) ended?.();
}

async function one(expected: Buffer | undefined, arrived: (server: number, count: number) => void) {
  const startedAt = clock();
  const { reason, server } = await ask(expected, arrived);
  return reason === undefined ? undefined : { startedAt, failedAt: clock(), reason, server };
}

function ask(expected: Buffer | undefined, arrived?: (server: number, count: number) => void): Promise<Answer> {
  return request(() => contender.connect(task.target), expected, arrived);
}

async function wait(): Promise<undefined> {
  const until = clock() + WAIT_MAXIMUM;
  for (;;) {
    const { reason } = await ask(undefined);
    if (reason === undefined) return undefined;
    if (clock() > until) throw new Error(`there is no answer: ${reason}`);
    await pause(AFTER_FAILURE);
  }
}

async function probe({ every }: ClientOrders['probe']['argument']): Promise<ClientOrders['probe']['result']> {
  const probes: Probe[] = [];
  const failed: Failure[] = [];
  const open = new Set<Promise<void>>();
  const probeOnce = async (): Promise<void> => {
    const startedAt = clock();
    const { reason, server, connected } = await ask(undefined);
    if (reason === undefined) probes.push({ startedAt, connected: connected!, server: server! });
    else failed.push({ startedAt, failedAt: clock(), reason, server });
  };
  const timer = setInterval(() => {
    for (let count = 0; count < PROBES_AT_A_TIME; count++) {
      const asked = probeOnce().finally(() => open.delete(asked));
      open.add(asked);
    }
  }, every);
  await new Promise<void>((resolve) => (stopped = resolve));
  clearInterval(timer);
  await Promise.all(open);
  return { probes, failures: failed };
}

/** An instance of four is missed by all that are asked within 10 ms once in three hundred times, not once in four. */
const PROBES_AT_A_TIME = 2;
/** Milliseconds: a client that is refused does not ask again at once. */
const AFTER_FAILURE = 50;
const WAIT_MAXIMUM = 10_000;

obey<ClientOrders>({
  wait,
  begin: async (argument) => {
    origin = argument.origin;
    for (let count = 0; count < argument.open; count++) void keepOne();
    return undefined;
  },
  end: async () => {
    isEnding = true;
    if (openRequests > 0) await new Promise<void>((resolve) => (ended = resolve));
    return { bytes: Array.from(bytes, filled), answered: filled(answered), failures };
  },
  probe,
  stopProbing: async () => {
    stopped?.();
    return undefined;
  },
});

/** Without holes, which JSON has no word for. */
function filled(bins: readonly number[] = []): number[] {
  return Array.from(bins, (count) => count ?? 0);
}
