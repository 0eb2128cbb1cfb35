// What happens in a host, for whoever watches: what controllers are told, what they ask for, and the host's own
// role. Nobody pays who does not watch.

import type { ServiceCommand, ServiceEvent } from '../stack/control-interface';

export type HostEvent =
  | { readonly kind: 'service'; readonly event: ServiceEvent }
  | { readonly kind: 'command'; readonly command: ServiceCommand }
  /** Null: the host was closed. */
  | { readonly kind: 'role'; readonly role: string | null };

export type HostEventListener = (event: HostEvent) => void;

export class HostEvents {
  private readonly listeners = new Set<HostEventListener>();

  /** Ask before making an event: most of the time nobody watches. */
  get isWatched(): boolean {
    return this.listeners.size > 0;
  }

  /** Returns the way to stop. */
  watch(listener: HostEventListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  tell(event: HostEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}
