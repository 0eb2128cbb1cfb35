// The demo's client, in a process of its own: it asks for the service by name, a new connection for each
// request, and reports who answered.

import { type ClientRequestArgs, get } from 'node:http';
import { connect } from '../../index';
import { DEMO_SERVICE } from './demo-service';

/** What the client tells the process that started it. */
export type ClientReport =
  | { readonly kind: 'answered'; readonly by: string; readonly milliseconds: number; readonly attempts: number }
  | { readonly kind: 'failed'; readonly code: string; readonly attempts: number };

const CONCURRENT = 4;
const PAUSE = 20;
const ATTEMPTS = 3;

export function runClient(): void {
  for (let index = 0; index < CONCURRENT; index++) void askForever();
}

async function askForever(): Promise<void> {
  for (;;) {
    process.send?.(await askWithRetries());
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** A GET may be asked again; the second attempt is resolved anew, and so may find another replica. */
async function askWithRetries(): Promise<ClientReport> {
  const start = performance.now();
  let code = '';
  for (let attempts = 1; attempts <= ATTEMPTS; attempts++) {
    try {
      return { kind: 'answered', by: await ask(), milliseconds: performance.now() - start, attempts };
    } catch (error) {
      code = (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }
  return { kind: 'failed', code, attempts: ATTEMPTS };
}

function ask(): Promise<string> {
  return new Promise((resolve, reject) => {
    const options: ClientRequestArgs = { path: '/', createConnection: () => connect(DEMO_SERVICE) };
    const request = get(options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve(body));
      response.on('error', reject);
    });
    request.setTimeout(REQUEST_TIMEOUT, () => request.destroy(new Error('ETIMEDOUT')));
    request.on('error', reject);
  });
}

const REQUEST_TIMEOUT = 5000;
