// A list as an answer: one JSON object a line, made as fast as it is read and a few lines a turn, so that neither a
// large table nor a slow reader takes memory or holds up the data path.

import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CONTROL_LINES_PER_TURN, CONTROL_LIST_BACKLOG } from './control-limits';

export const LINES_TYPE = 'application/x-ndjson';

/** Resolves when all is written, or the reader has gone. A reader that does not read is cut off by its connection. */
export async function sendLines(response: ServerResponse, entries: Iterable<object | undefined>): Promise<void> {
  response.writeHead(200, { 'content-type': LINES_TYPE });
  let lines = '';
  let count = 0;
  for (const entry of entries) {
    if (entry !== undefined) lines += `${JSON.stringify(entry)}\n`;
    if (++count % CONTROL_LINES_PER_TURN !== 0) continue;
    if (!(await hasRoom(response, lines))) return;
    lines = '';
  }
  response.end(lines);
}

async function hasRoom(response: ServerResponse, lines: string): Promise<boolean> {
  response.write(lines);
  if (response.writableLength > CONTROL_LIST_BACKLOG) {
    await new Promise<void>((resolve) => {
      const go = (): void => {
        response.off('drain', go).off('close', go);
        resolve();
      };
      response.on('drain', go).on('close', go);
    });
  } else await nextTurn();
  return !response.destroyed;
}
