// Flooding of mappings, for networks without a router (§4.3, ad hoc): each host tells its segment by broadcast what it
// offers, so that the tables of the others know it before anybody asks. Nothing of it is forwarded, and nobody proves
// who he is: whoever may broadcast there is believed, within bounds. Off unless switched on.

import type { NetworkInterface, ServiceCommand, ServiceEvent } from '../../stack/control-interface';
import { earlier, type Instant } from '../../time/instant';
import type { RandomSource } from '../../time/random-source';
import { FLOODING_SERVICE, parseFloodMessage } from '../../wire/flood-message';
import type { NetworkAddress } from '../../wire/network-address';
import type { ServiceController, ServiceInstance } from '../service-controller';
import { FloodingReceiver } from './flooding-receiver';
import { type FloodingIdentity, FloodingSender } from './flooding-sender';

export interface FloodingOptions {
  /** Index of the link that broadcasts, and that the FORWARD rules send by. */
  readonly link: number;
  /** UDP port spoken to at the broadcast addresses; 0 on a link without ports. */
  readonly port: number;
  readonly random: RandomSource;
}

/** How a message came. */
export interface FloodingSource {
  readonly address: NetworkAddress;
  readonly link: number;
  readonly way: 'direct' | 'broadcast' | 'forwarded';
}

interface Message {
  readonly bytes: Uint8Array;
  readonly to: typeof FLOODING_SERVICE;
  readonly at: { readonly address: NetworkAddress; readonly link: number };
}

export class Flooding implements ServiceController {
  readonly serviceID = FLOODING_SERVICE;
  /** Messages that were not for us to believe, and such that were none. */
  readonly counts = { elsewhere: 0, malformed: 0 };
  readonly receiver: FloodingReceiver;
  private readonly sender: FloodingSender;
  private readonly interfaces = new Map<string, NetworkInterface>();
  private isActive = false;
  /** The message that is being told, and where it is still to go. */
  private message: Uint8Array | undefined;
  private targets: NetworkAddress[] = [];

  constructor(private readonly options: FloodingOptions) {
    this.receiver = new FloodingReceiver(options.link);
    this.sender = new FloodingSender(options.random);
  }

  /** This process speaks for its host from now on, and listens. */
  start(identity: FloodingIdentity, now: Instant): void {
    this.isActive = true;
    this.sender.start(identity, now);
  }

  /** It takes back what it said, and forgets what it heard. */
  stop(): void {
    if (!this.isActive) return;
    this.isActive = false;
    this.sender.stop();
    this.receiver.clear();
  }

  // ---- what other processes of this host offer ----

  handleRegistered({ prefix, protocol, address, weight }: ServiceInstance, now: Instant): void {
    this.sender.handleOffered(address.toString(), prefix, protocol, weight, now);
  }

  handleUnregistered({ prefix, protocol, address }: Omit<ServiceInstance, 'weight'>, now: Instant): void {
    this.sender.handleWithdrawn(address.toString(), prefix, protocol, now);
  }

  handleGone(address: NetworkAddress, now: Instant): void {
    this.sender.handleGone(address.toString(), now);
  }

  // ---- ServiceController, and a socket ----

  handleEvent(event: ServiceEvent, now: Instant): void {
    if (event.kind === 'registered') {
      this.sender.handleOffered(OURSELVES, event.prefix, event.protocol, event.weight, now);
    } else if (event.kind === 'unregistered') {
      this.sender.handleWithdrawn(OURSELVES, event.prefix, event.protocol, now);
    } else if (event.kind === 'interfaceUp') {
      this.interfaces.set(keyOf(event.networkInterface), event.networkInterface);
      this.sender.handleSegment(now);
    } else if (event.kind === 'interfaceDown') {
      this.interfaces.delete(keyOf(event.networkInterface));
    }
  }

  handleMessage(bytes: Uint8Array, { address, link, way }: FloodingSource, now: Instant): void {
    const isForUs = this.isActive && link === this.options.link && way === 'broadcast' && !this.isOurs(address);
    const message = isForUs ? parseFloodMessage(bytes) : undefined;
    if (!isForUs) this.counts.elsewhere++;
    else if (message === undefined || (message.port === 0) !== (address.port === 0)) this.counts.malformed++;
    else this.receiver.handleMessage(address.withPort(message.port), message, now);
  }

  pollCommand(): ServiceCommand | undefined {
    return this.receiver.pollCommand();
  }

  /** Each message to each segment. */
  pollMessage(): Message | undefined {
    let address = this.targets.pop();
    while (address === undefined) {
      this.message = this.sender.pollMessage();
      if (this.message === undefined) return undefined;
      this.targets = this.segments();
      address = this.targets.pop();
    }
    return { bytes: this.message!, to: FLOODING_SERVICE, at: { address, link: this.options.link } };
  }

  nextDeadline(): Instant {
    return earlier(this.sender.nextDeadline(), this.receiver.nextDeadline());
  }

  handleDeadline(now: Instant): void {
    this.sender.handleDeadline(now);
    this.receiver.handleDeadline(now);
  }

  private segments(): NetworkAddress[] {
    const segments = new Map<string, NetworkAddress>();
    for (const { broadcast, isLoopback } of this.interfaces.values()) {
      if (broadcast !== undefined && !isLoopback) segments.set(broadcast.ip, broadcast.withPort(this.options.port));
    }
    return [...segments.values()];
  }

  /** Our own broadcasts come back to us. */
  private isOurs(address: NetworkAddress): boolean {
    for (const each of this.interfaces.values()) if (each.address.sameIp(address)) return true;
    return false;
  }
}

/** Among the sources: no address. */
const OURSELVES = '';

function keyOf({ index, address }: NetworkInterface): string {
  return `${index} ${address}`;
}
