// The addresses of this host's interfaces that are up, and the events when they come and go (§4.2). By
// netlink where the addon is, elsewhere by looking at node:os once in a while.

import { INTERFACE_POLL_INTERVAL } from '../limits';
import { loadBinding } from '../native/binding';
import type { NativeInterfaceAddress, NativeInterfaceMonitor } from '../native/native-binding';
import type { NetworkInterface } from '../sal/link-properties';
import { NetworkAddress } from '../wire/network-address';
import { systemInterfaces } from './system-interfaces';

export interface InterfaceEvent {
  readonly kind: 'interfaceUp' | 'interfaceDown';
  readonly networkInterface: NetworkInterface;
}

export interface InterfaceMonitorOptions {
  /** Whether to use the addon where it is. Default true. */
  readonly native?: boolean;
  /** Milliseconds between two looks, without the addon. */
  readonly pollInterval?: number;
}

/** Never keeps the process alive. */
export class InterfaceMonitor {
  private known = new Map<string, NetworkInterface>();
  private listener: ((event: InterfaceEvent) => void) | undefined;
  private native: NativeInterfaceMonitor | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: InterfaceMonitorOptions = {}) {}

  /** What is up now: an entry for each address. */
  get interfaces(): readonly NetworkInterface[] {
    return [...this.known.values()];
  }

  /** Tells, before it resolves, of all that is up now, and later of every change. */
  async start(listener: (event: InterfaceEvent) => void): Promise<void> {
    this.listener = listener;
    this.native = this.openNative();
    if (this.native === undefined) {
      this.timer = setInterval(() => this.update(), this.options.pollInterval ?? INTERFACE_POLL_INTERVAL).unref();
    }
    this.update();
  }

  close(): void {
    this.listener = undefined;
    this.native?.close();
    this.native = undefined;
    clearInterval(this.timer);
  }

  private openNative(): NativeInterfaceMonitor | undefined {
    const binding = this.options.native === false ? undefined : loadBinding();
    if (binding === undefined) return undefined;
    const monitor = new binding.InterfaceMonitor(() => this.update());
    // In a sandbox without netlink, node:os may still know.
    return monitor.open() === undefined ? monitor : undefined;
  }

  /** An address whose properties changed goes down as what it was and comes up as what it is. */
  private update(): void {
    const interfaces = this.native?.addresses().map(fromNative) ?? systemInterfaces();
    const current = new Map(interfaces.map((networkInterface) => [identity(networkInterface), networkInterface]));
    const previous = this.known;
    this.known = current;
    for (const [key, networkInterface] of previous) {
      if (!current.has(key)) this.listener?.({ kind: 'interfaceDown', networkInterface });
    }
    for (const [key, networkInterface] of current) {
      if (!previous.has(key)) this.listener?.({ kind: 'interfaceUp', networkInterface });
    }
  }
}

function identity({ name, index, address, prefixBits, broadcast, mtu }: NetworkInterface): string {
  return [name, index, address, prefixBits, broadcast, mtu].join(' ');
}

function fromNative(entry: NativeInterfaceAddress): NetworkInterface {
  return {
    name: entry.name,
    index: entry.index,
    address: toAddress(entry.address),
    prefixBits: entry.prefixBits,
    ...(entry.broadcast !== undefined && { broadcast: toAddress(entry.broadcast) }),
    mtu: entry.mtu,
    isLoopback: entry.isLoopback,
  };
}

function toAddress([familyPort, word0, word1, word2, word3]: readonly number[]): NetworkAddress {
  return NetworkAddress.fromWords(familyPort! >>> 16 === 6 ? 6 : 4, 0, word0!, word1!, word2!, word3!);
}
