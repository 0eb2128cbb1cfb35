// The host's side of the original's registrations (wire format §13): what this process offers on a link without ports
// is told to the router of the segment, and told again every 20 s. Nobody acknowledges it.

import type { NetworkInterface, ServiceCommand, ServiceEvent } from '../../stack/control-interface';
import { after, type Instant, NEVER } from '../../time/instant';
import type { NetworkAddress } from '../../wire/network-address';
import { SERVD_HOST, SERVD_ROUTER, type ServdMessage, writeServdMessage } from '../../wire/servd-message';
import type { ServiceID, ServicePrefix } from '../../wire/service-id';
import type { ServiceController } from '../service-controller';
import { SERVD_REFRESH } from './discovery-limits';

export interface ServdClientOptions {
  readonly link: number;
  /** The router; without one messages go where the service table leads: to all on the segment. */
  readonly router?: NetworkAddress | undefined;
}

interface Offer {
  readonly prefix: ServicePrefix;
  readonly protocols: Set<number>;
  /** Where the router knows it. */
  knownAt: NetworkAddress | undefined;
}

interface Message {
  readonly bytes: Uint8Array;
  readonly to: ServiceID;
  readonly at?: { readonly address: NetworkAddress; readonly link: number };
}

export class ServdClient implements ServiceController {
  readonly serviceID = SERVD_HOST;
  private readonly offers = new Map<string, Offer>();
  private readonly interfaces = new Map<string, NetworkInterface>();
  private messages: Message[] = [];
  private refreshAt: Instant = NEVER;
  private lastNumber = 0;

  constructor(private readonly options: ServdClientOptions) {}

  handleEvent(event: ServiceEvent, now: Instant): void {
    if (event.kind === 'registered') this.handleRegistered(event.prefix, event.protocol, now);
    else if (event.kind === 'unregistered') this.handleUnregistered(event.prefix, event.protocol);
    else if (event.kind === 'interfaceUp') this.handleInterface(event.networkInterface, true);
    else if (event.kind === 'interfaceDown') this.handleInterface(event.networkInterface, false);
  }

  /** Routers do not answer; what other hosts tell routers by broadcast is not for us. */
  handleMessage(): void {}

  pollMessage(): Message | undefined {
    return this.messages.shift();
  }

  pollCommand(): ServiceCommand | undefined {
    return undefined;
  }

  nextDeadline(): Instant {
    return this.refreshAt;
  }

  handleDeadline(now: Instant): void {
    if (now < this.refreshAt) return;
    for (const offer of this.offers.values()) this.register(offer, true);
    this.refreshAt = this.offers.size === 0 ? NEVER : after(now, SERVD_REFRESH);
  }

  private handleRegistered(prefix: ServicePrefix, protocol: number, now: Instant): void {
    if (prefix.bits === 0) return;
    const key = prefix.toString();
    const known = this.offers.get(key);
    if (known !== undefined) {
      known.protocols.add(protocol);
      return;
    }
    const offer = { prefix, protocols: new Set([protocol]), knownAt: undefined };
    this.offers.set(key, offer);
    this.register(offer, false);
    if (this.refreshAt === NEVER) this.refreshAt = after(now, SERVD_REFRESH);
  }

  private handleUnregistered(prefix: ServicePrefix, protocol: number): void {
    const offer = this.offers.get(prefix.toString());
    if (offer?.protocols.delete(protocol) !== true || offer.protocols.size > 0) return;
    this.offers.delete(prefix.toString());
    this.say({ kind: 'unregister', isRepeated: false, formerAddress: undefined, prefix });
  }

  private handleInterface(networkInterface: NetworkInterface, isUp: boolean): void {
    const before = this.address();
    const key = `${networkInterface.index} ${networkInterface.address}`;
    if (isUp) this.interfaces.set(key, networkInterface);
    else this.interfaces.delete(key);
    const now = this.address();
    if (now === undefined || before?.equals(now)) return;
    for (const offer of this.offers.values()) this.register(offer, true);
  }

  private register(offer: Offer, isRepeated: boolean): void {
    const { prefix, knownAt } = offer;
    const repeated = isRepeated && knownAt !== undefined;
    this.say({ kind: 'register', isRepeated: repeated, formerAddress: repeated ? knownAt : undefined, prefix });
    offer.knownAt = this.address();
  }

  private say(message: ServdMessage): void {
    this.lastNumber = (this.lastNumber + 1) >>> 0;
    const bytes = writeServdMessage(message, this.lastNumber);
    const { router: address, link } = this.options;
    this.messages.push({ bytes, to: SERVD_ROUTER, ...(address === undefined ? {} : { at: { address, link } }) });
  }

  /** Our address on the segment, as the router sees it. */
  private address(): NetworkAddress | undefined {
    for (const { address, isLoopback } of this.interfaces.values()) {
      if (address.family === 4 && !isLoopback) return address;
    }
    return undefined;
  }
}
