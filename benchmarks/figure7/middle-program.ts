// The service router, or the DNS server, in a process of its own on the router's host. Started by middle.ts.

import { createRouter } from '../../lib/index';
import { obey } from '../measuring/orders';
import { SERVICE } from './contenders';
import { DnsServer } from './dns-server';

export type MiddleTask =
  | { readonly kind: 'router' }
  | { readonly kind: 'dns'; readonly address: string; readonly timeToLive: number };

export interface MiddleOrders {
  start: { readonly argument: undefined; readonly result: undefined };
  addresses: { readonly argument: readonly string[]; readonly result: undefined };
}

const task = JSON.parse(process.argv[2]!) as MiddleTask;
const dns = task.kind === 'dns' ? new DnsServer(task.timeToLive) : undefined;

obey<MiddleOrders>({
  start: async () => {
    if (task.kind === 'dns') await dns!.listen(task.address);
    else await createRouter({ pickers: { [SERVICE]: 'least-loaded' } }).ready;
    return undefined;
  },
  addresses: async (addresses) => {
    dns!.setAddresses(addresses);
    return undefined;
  },
});
