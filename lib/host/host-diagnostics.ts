// What happens in a host, for tracers inside the process: channels of `node:diagnostics_channel`, and the lines of
// NODE_DEBUG=serval. docs/diagnostics.md is the list for users.

import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { describeEvent } from '../control/event-description';
import type { HostEvent } from '../control/host-events';

/** `{ host, event }`: what controllers are told - registrations, packets that wait, interfaces. */
const serviceChannel = channel('serval.service');
/** `{ host, command }`: what is asked of the service table. */
const ruleChannel = channel('serval.rule');

export const hostDebug = debuglog('serval');

export function publishEvent(host: object, event: HostEvent): void {
  if (event.kind === 'service' && serviceChannel.hasSubscribers) serviceChannel.publish({ host, event: event.event });
  if (event.kind === 'command' && ruleChannel.hasSubscribers) ruleChannel.publish({ host, command: event.command });
  if (!hostDebug.enabled) return;
  const { event: name, ...rest } = describeEvent(event);
  hostDebug('%s %s', name, JSON.stringify(rest));
}
