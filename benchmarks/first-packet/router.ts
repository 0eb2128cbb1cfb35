// A service router on the way. Started by first-packet; never by hand.

import { createRouter } from '../../lib/index';
import { obey } from '../measuring/orders';
import type { RouterOrders } from './task';

obey<RouterOrders>({
  start: async () => {
    await createRouter().ready;
    return undefined;
  },
});
