// Which request leads to what: the table of resources and methods.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { ControlError, ControlErrorCode } from './control-error';
import type { ControlledHost } from './controlled-host';
import { drainService } from './drain-resource';
import { streamEvents } from './event-stream';
import { listFlows } from './flow-listing';
import { describeHost } from './host-description';
import { sendLines, sendLinesInTime } from './line-response';
import { migrateFlows } from './migrate-resource';
import { listRegisteredHosts } from './registered-hosts';
import { readBody } from './request-body';
import { RequestFields } from './request-fields';
import { type TableFilter, TableListing } from './table-listing';
import { type Answer, addRule, deleteRule, modifyRule, setPicker } from './table-resource';

interface ControlRequest {
  readonly host: ControlledHost;
  readonly query: RequestFields;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

type Handler = (request: ControlRequest) => void | Promise<void>;

const RESOURCES: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  '/host': { GET: ({ host, response }) => sendAnswer(response, { status: 200, body: describeHost(host) }) },
  '/table': {
    GET: (request) => listTable(request, (listing, filter) => listing.rules(filter)),
    POST: (request) => carryOut(request, addRule),
    PATCH: (request) => carryOut(request, modifyRule),
    DELETE: ({ host, query, response }) => sendAnswer(response, deleteRule(host, query)),
  },
  '/services': { GET: (request) => listTable(request, (listing, filter) => listing.services(filter)) },
  '/instances': { GET: (request) => listTable(request, (listing, filter) => listing.instances(filter)) },
  '/flows': {
    GET: ({ host, query, response }) => {
      query.checkNoOthers();
      return sendLines(response, listFlows(host.stack, host.now()));
    },
  },
  '/registered': {
    GET: ({ host, query, response }) => {
      query.checkNoOthers();
      // At most some thousand, and their list may change from turn to turn: as it is now.
      return sendLines(response, [...listRegisteredHosts(host)]);
    },
  },
  '/pickers': { PUT: (request) => carryOut(request, setPicker) },
  '/events': { GET: ({ host, request, response }) => waitFor(request, () => streamEvents(response, host.events)) },
  '/migrate': { POST: (request) => waitFor(request.request, () => migrate(request)) },
  '/drain': { POST: (request) => waitFor(request.request, () => carryOut(request, drainService)) },
};

export async function handleRequest(host: ControlledHost, request: IncomingMessage, response: ServerResponse) {
  try {
    const url = new URL(request.url ?? '/', 'http://host');
    const handler = handlerOf(url.pathname, request.method ?? '', response);
    await handler({ host, query: RequestFields.ofQuery(url.searchParams), request, response });
  } catch (error) {
    fail(response, error);
  }
}

function handlerOf(path: string, method: string, response: ServerResponse): Handler {
  const methods = Object.hasOwn(RESOURCES, path) ? RESOURCES[path] : undefined;
  if (methods === undefined) {
    const known = Object.keys(RESOURCES).join(', ');
    throw new ControlError(ControlErrorCode.notFound, `there is no ${path}; there are ${known}`);
  }
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (handler !== undefined) return handler;
  const allowed = Object.keys(methods).join(', ');
  response.setHeader('allow', allowed);
  throw new ControlError(ControlErrorCode.method, `${path} takes ${allowed}`);
}

function listTable(
  { host, query, response }: ControlRequest,
  list: (listing: TableListing, filter: TableFilter) => Iterable<object | undefined>,
): Promise<void> {
  const filter = query.prefix('prefix');
  query.checkNoOthers();
  const listing = new TableListing(host.stack.sal.serviceTable, host.now());
  return sendLines(response, list(listing, filter));
}

async function carryOut(
  { host, request, response }: ControlRequest,
  change: (host: ControlledHost, fields: RequestFields) => Answer | Promise<Answer>,
): Promise<void> {
  sendAnswer(response, await change(host, await readBody(request)));
}

async function migrate({ host, request, response }: ControlRequest): Promise<void> {
  await sendLinesInTime(response, migrateFlows(host, await readBody(request)));
}

/** It may take long until something is said, and that is no reason to cut the connection off. */
function waitFor(request: IncomingMessage, handle: () => void | Promise<void>): void | Promise<void> {
  request.socket.setTimeout(0);
  return handle();
}

function sendAnswer(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const known = error instanceof ControlError ? error : undefined;
  const code = known?.code ?? ControlErrorCode.internal;
  const message = error instanceof Error ? error.message : String(error);
  // What is left of a request that was too large is not read.
  if (code === ControlErrorCode.bodyTooLarge) response.setHeader('connection', 'close');
  sendAnswer(response, { status: known?.status ?? 500, body: { error: message, code } });
}
