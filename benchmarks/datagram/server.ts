// The receiving process of one measurement. Started with its task; never by hand.

import { createHash } from 'node:crypto';
import { beginTask, counted, report } from '../measuring/measured-program';
import { contenders, type Send } from './contenders';
import type { Task } from './task';

const { contender, measure, address } = beginTask<Task>();

const receive: Readonly<Record<Task['measure'], (message: Buffer, answer: Send) => void>> = {
  rate: ({ length }) => {
    counted.bytes += length;
    counted.operations++;
  },
  verify: (message, answer) => answer(createHash('sha256').update(message).digest()),
};

contenders[contender].serve(address, receive[measure], (target, carrier) => {
  report({ kind: 'listening', target, carrier });
});
