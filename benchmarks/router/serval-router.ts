// Our router, in a process of its own: a service router with a table of so many prefixes.

import { createRouter } from '../../lib/router/service-router';
import type { Instant } from '../../lib/time/instant';
import { NetworkAddress } from '../../lib/wire/network-address';
import { beginTask, fail, report } from '../measuring/measured-program';
import { rulesOf } from './packets';
import type { RouterTask } from './task';

const { port, registry, prefixes, hops, hopPort } = beginTask<RouterTask>();

async function start(): Promise<void> {
  const router = createRouter({ port, registry, broadcast: false });
  await router.ready;
  // Rules as a controller adds them, a million without a command each.
  const { stack } = router.host['driver'];
  const link = stack.outputs().findIndex(({ properties }) => properties.encapsulated && properties.role === 'data');
  const addresses = hops.map((ip) => NetworkAddress.parse(ip, hopPort)!);
  for (const rule of rulesOf(prefixes, addresses, link)) {
    const outcome = stack.sal.serviceTable.addRule(rule, performance.now() as Instant);
    if (outcome === 'full') throw new Error('the table is full');
  }
  report({ kind: 'listening', target: String(port), carrier: router.host.linkKinds.join() });
}

start().catch(fail);
