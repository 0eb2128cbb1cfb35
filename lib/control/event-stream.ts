// Events as an endless answer, one JSON object a line. Whoever does not read what is told is cut off.

import type { ServerResponse } from 'node:http';
import { CONTROL_BACKLOG_MAXIMUM } from './control-limits';
import { describeEvent } from './event-description';
import type { HostEvent, HostEvents } from './host-events';
import { LINES_TYPE } from './line-response';

/** Tells of what happens from now on, until the reader goes, or the host. */
export function streamEvents(response: ServerResponse, events: HostEvents): void {
  response.writeHead(200, { 'content-type': LINES_TYPE });
  // The reader knows that it misses nothing from here on.
  response.flushHeaders();
  const stop = events.watch((event) => {
    response.write(lineOf(event));
    if (event.kind === 'role' && event.role === null) response.end();
    else if (response.writableLength > CONTROL_BACKLOG_MAXIMUM) response.destroy();
  });
  response.on('close', stop);
}

function lineOf(event: HostEvent): string {
  const described = describeEvent(event);
  return `${JSON.stringify({ time: new Date().toISOString(), pid: process.pid, ...described })}\n`;
}
