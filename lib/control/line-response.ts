// A list as an answer: one JSON object a line, made as fast as it is read and a few lines a turn, so that neither a
// large table nor a slow reader takes memory or holds up the data path.

import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  CONTROL_LINES_PER_LOOK,
  CONTROL_LINES_PER_TURN,
  CONTROL_LIST_BACKLOG,
  CONTROL_TURN_MAXIMUM,
} from './control-limits';

export const LINES_TYPE = 'application/x-ndjson';

/** Resolves when all is written, or the reader has gone. A reader that does not read is cut off by its connection. */
export async function sendLines(response: ServerResponse, entries: Iterable<object | undefined>): Promise<void> {
  response.writeHead(200, { 'content-type': LINES_TYPE });
  let lines = '';
  let count = 0;
  let until = performance.now() + CONTROL_TURN_MAXIMUM;
  for (const entry of entries) {
    if (entry !== undefined) lines += `${JSON.stringify(entry)}\n`;
    if (++count % CONTROL_LINES_PER_LOOK !== 0) continue;
    if (count < CONTROL_LINES_PER_TURN && performance.now() < until) continue;
    if (!(await hasRoom(response, lines))) return;
    lines = '';
    count = 0;
    until = performance.now() + CONTROL_TURN_MAXIMUM;
  }
  response.end(lines);
}

/** The same for what comes to be in time: each line is sent as it comes. The reader's leaving aborts. */
export async function sendLinesInTime(
  response: ServerResponse,
  entries: (signal: AbortSignal) => AsyncIterable<object>,
): Promise<void> {
  response.writeHead(200, { 'content-type': LINES_TYPE });
  // The reader knows that it was understood, however long the first line takes.
  response.flushHeaders();
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  for await (const entry of entries(gone.signal)) {
    response.write(`${JSON.stringify(entry)}\n`);
    if (response.writableLength > CONTROL_LIST_BACKLOG) await drained(response);
  }
  response.end();
}

async function hasRoom(response: ServerResponse, lines: string): Promise<boolean> {
  response.write(lines);
  if (response.writableLength > CONTROL_LIST_BACKLOG) await drained(response);
  else await nextTurn();
  return !response.destroyed;
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}
