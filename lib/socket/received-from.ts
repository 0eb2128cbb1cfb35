// What comes with a message: what an application reads there, and whom an answer goes to.

import type { DatagramSource } from '../driver/handles';
import type { ServiceID } from '../wire/service-id';
import type { RemoteInfo } from './datagram-events';

/** The source stands where nobody sees it: applications print such objects, and make their own. */
export class ReceivedFrom implements RemoteInfo {
  readonly serviceID: ServiceID;
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly port: number;
  readonly size: number;
  readonly #source: DatagramSource;

  constructor(bytes: Uint8Array, source: DatagramSource) {
    this.serviceID = source.serviceID;
    this.address = source.address.ip;
    this.family = source.address.family === 4 ? 'IPv4' : 'IPv6';
    this.port = source.address.port;
    this.size = bytes.length;
    this.#source = source;
  }

  /** `undefined` for what is no such object. */
  static sourceOf(info: unknown): DatagramSource | undefined {
    return typeof info === 'object' && info !== null && #source in info ? info.#source : undefined;
  }
}
