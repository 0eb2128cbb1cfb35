// A client of the control interface of one process. What comes back is checked to be what this end can use, no more:
// a process of a later version may say more.

import { type IncomingMessage, request } from 'node:http';
import { withCode } from '../errors';
import { CONTROL_ANSWER_MAXIMUM, CONTROL_ANSWER_TIMEOUT } from './control-limits';

/** Fields of an answer or of one line of a list. */
export type Entry = Readonly<Record<string, unknown>>;

/** `code`: what the interface answered, or ECONNREFUSED and the like, or CONTROL_TIMEOUT, CONTROL_ANSWER. */
export class ControlRequestError extends Error {
  override readonly name = 'ControlRequestError';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export class ControlClient {
  constructor(readonly path: string) {}

  /** One object. `patient`: however long it takes. Rejects with a ControlRequestError. */
  async ask(method: string, resource: string, body?: object, patient = false): Promise<Entry> {
    const response = await this.send(method, resource, body, { patient });
    return parseEntry(await readText(response));
  }

  /** A list, entry by entry, or events without end; of a POST with `body`. Rejects with a ControlRequestError. */
  async *lines(resource: string, body?: object, signal?: AbortSignal): AsyncGenerator<Entry, void> {
    const response = await this.send(body === undefined ? 'GET' : 'POST', resource, body, { signal });
    response.setEncoding('utf8');
    let rest = '';
    for await (const chunk of response as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      if (rest.length > CONTROL_ANSWER_MAXIMUM) throw unusable();
      for (const line of lines) yield parseEntry(line);
    }
    if (rest !== '') throw unusable();
  }

  private async send(
    method: string,
    resource: string,
    body: object | undefined,
    { patient = false, signal }: { patient?: boolean; signal?: AbortSignal | undefined },
  ): Promise<IncomingMessage> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({ socketPath: this.path, method, path: resource, agent: false, signal }, resolve);
      sent.on('error', (error: NodeJS.ErrnoException) => {
        reject(new ControlRequestError(error.code ?? 'CONTROL_ANSWER', error.message));
      });
      if (!patient) sent.setTimeout(CONTROL_ANSWER_TIMEOUT, () => sent.destroy(tooLate(resource)));
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
    // Events may be far apart.
    response.socket.setTimeout(0);
    if (response.statusCode! < 300) return response;
    const { error, code } = parseEntry(await readText(response));
    throw new ControlRequestError(String(code), String(error));
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response as AsyncIterable<string>) {
    text += chunk;
    if (text.length > CONTROL_ANSWER_MAXIMUM) throw unusable();
  }
  return text;
}

function parseEntry(text: string): Entry {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unusable();
  }
  if (typeof value === 'object' && value !== null) return value as Entry;
  throw unusable();
}

function unusable(): ControlRequestError {
  return new ControlRequestError('CONTROL_ANSWER', 'the process does not answer as a control interface does');
}

function tooLate(resource: string): Error {
  const message = `no answer to ${resource} within ${CONTROL_ANSWER_TIMEOUT / 1000} s: the process may be busy`;
  return withCode(new Error(message), 'CONTROL_TIMEOUT');
}
