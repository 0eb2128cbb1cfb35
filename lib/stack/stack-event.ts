// What happened in a stack since it was asked last, for its driver.

import type { Ping } from '../sal/signaling/ping';
import type { Connection } from './connection';
import type { ServiceEvent } from './control-interface';
import type { DatagramEndpoint } from './datagram-endpoint';
import type { Listener } from './listener';

/** What happened: to a connection (it is its own event), a listener, a datagram socket, a ping: ask it. Or for controllers. */
export type StackEvent =
  | Connection
  | { readonly kind: 'accepted'; readonly listener: Listener; readonly connection: Connection }
  /** After `finishListener`: no connection comes of it any more. */
  | { readonly kind: 'listenerFinished'; readonly listener: Listener }
  | { readonly kind: 'datagram'; readonly endpoint: DatagramEndpoint }
  | { readonly kind: 'ping'; readonly ping: Ping }
  | { readonly kind: 'service'; readonly event: ServiceEvent };
