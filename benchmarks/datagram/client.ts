// The sending process of one measurement. Started with its task; never by hand.

import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { beginTask, counted, fail, report, reportWhen } from '../measuring/measured-program';
import { contenders, type Send } from './contenders';
import { DATAGRAM_BYTES, type Task } from './task';

/** Sent in each turn of the event loop: both contenders do well with it; 16 and 256 are no better for either. */
const BATCH = 64;
/** Not handed on yet; beyond it a turn sends nothing. */
const PENDING_MAXIMUM = 4 * BATCH;
const WARM_UP = 200_000;
/** Milliseconds. */
const WARM_UP_MAXIMUM = 4000;
const ANSWER_MAXIMUM = 2000;
const VERIFIED = 2000;

const { contender, measure, target } = beginTask<Task>();
const answers = new EventEmitter();
let send: Send;

/** As fast as it can: a batch each turn, whether or not what was sent before arrived. */
function rate(): void {
  const message = Buffer.alloc(DATAGRAM_BYTES, 'serval');
  let pending = 0;
  const sent = (): void => {
    pending--;
    counted.operations++;
  };
  const turn = (): void => {
    if (pending < PENDING_MAXIMUM) {
      pending += BATCH;
      for (let count = 0; count < BATCH; count++) send(message, sent);
    }
    setImmediate(turn);
  };
  reportWhen(() => counted.operations >= WARM_UP, WARM_UP_MAXIMUM);
  turn();
}

/** One after the other, so that none is lost for want of room: each must be answered by its digest. */
async function verify(): Promise<void> {
  for (let count = 0; count < VERIFIED; count++) {
    const message = randomBytes(DATAGRAM_BYTES);
    const answered = once(answers, 'answer', { signal: AbortSignal.timeout(ANSWER_MAXIMUM) });
    send(message);
    const [digest] = (await answered) as [Buffer];
    if (createHash('sha256').update(message).digest().equals(digest)) continue;
    throw new Error('a datagram did not arrive as it was sent: its SHA-256 differs');
  }
  report({ kind: 'verified' });
}

async function begin(): Promise<void> {
  send = await contenders[contender].open(target!, (message) => answers.emit('answer', message));
  if (measure === 'rate') rate();
  else await verify();
}

begin().catch(fail);
