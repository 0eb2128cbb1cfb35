// Draining services of a process from outside: what `server.drain` does, for a rolling restart by a script.

import { ControlError, ControlErrorCode } from './control-error';
import type { ControlledHost } from './controlled-host';
import { type RequestFields, TIMER_MAXIMUM } from './request-fields';
import { nameOf } from './service-names';
import type { Answer } from './table-resource';

/** Answers when the sockets have closed. Throws CONTROL_NO_SERVICE. */
export async function drainService(host: ControlledHost, fields: RequestFields): Promise<Answer> {
  const prefix = fields.required('prefix', fields.prefix('prefix'));
  const timeout = fields.integer('timeout', 0, TIMER_MAXIMUM);
  fields.checkNoOthers();
  const drains = host.drain(prefix, timeout);
  if (drains.length === 0) {
    throw new ControlError(ControlErrorCode.noService, `no server of this process listens to ${prefix}`);
  }
  const drained = (await Promise.all(drains)).map((each) => ({ ...each, name: nameOf(each.prefix) }));
  return { status: 200, body: { drained } };
}
