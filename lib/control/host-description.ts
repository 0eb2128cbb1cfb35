// What a process and its host say of themselves.

import { basename } from 'node:path';
import type { ControlledHost } from './controlled-host';

/** Raised when a field changes its meaning or goes; new ones may come at any time. */
export const CONTROL_VERSION = 1;

export function describeHost(host: ControlledHost): object {
  const facts = host.facts();
  const { serviceTable, flowTable, firstPackets } = host.stack.sal;
  return {
    version: CONTROL_VERSION,
    pid: process.pid,
    program: basename(process.argv[1] ?? process.title),
    /** Seconds. */
    uptime: Math.round(process.uptime()),
    ...facts,
    rules: serviceTable.size,
    flows: flowTable.size,
    delayed: firstPackets.delayed.waiting,
  };
}
