// The service router that both ends know, on a host that never moves. Never started by hand.

import { createRouter } from '../../lib/index';
import { obey } from '../measuring/orders';

export interface RouterOrders {
  start: { readonly argument: undefined; readonly result: undefined };
}

obey<RouterOrders>({
  start: async () => {
    await createRouter().ready;
    return undefined;
  },
});
