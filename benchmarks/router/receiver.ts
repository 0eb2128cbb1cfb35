// A host behind the router, to see that every datagram arrives once and as it was sent. It takes no part in what is
// measured.

import { createHost } from '../../lib';
import { ServicePrefix } from '../../lib/wire/service-id';
import { beginTask, counted, fail, report } from '../measuring/measured-program';
import { readPayload, SERVICES } from './packets';
import type { ReceiverTask } from './task';

const { port, registry, payload } = beginTask<ReceiverTask>();
const arrived = new Uint8Array(SERVICES);

function take(bytes: Uint8Array): void {
  const index = bytes.length === payload ? readPayload(bytes) : undefined;
  if (index === undefined) return fail(new Error('a datagram arrived that was not sent'));
  if (arrived[index]!++ > 0) return fail(new Error(`datagram ${index} arrived twice`));
  counted.operations++;
}

async function start(): Promise<void> {
  const host = createHost({ port, registry, broadcast: false });
  await host.ready;
  host.openDatagram(ServicePrefix.any, { message: take, connected() {}, failed: fail, closed() {} });
  report({ kind: 'listening', target: String(port), carrier: host.linkKinds.join() });
}

start().catch(fail);
