// A client of the control interface for the tests: HTTP over its socket, and nothing of our own in between.

import { type IncomingMessage, request } from 'node:http';

export interface Reply {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
  /** One object for each line. */
  readonly lines: Record<string, unknown>[];
  readonly body: Record<string, unknown>;
}

export async function ask(path: string, method: string, resource: string, body?: unknown): Promise<Reply> {
  const response = await open(path, method, resource, body);
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk;
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const type = response.headers['content-type'];
  return { status: response.statusCode!, type, text, lines, body: lines[0] ?? {} };
}

export function open(path: string, method: string, resource: string, body?: unknown): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: path, method, path: resource, agent: false }, resolve);
    sent.on('error', reject);
    sent.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
  });
}
