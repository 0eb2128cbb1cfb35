// What holds now, as the events that say so: a policy that comes later is told them, and knows what the others know.

import type { ServiceEvent } from '../stack/control-interface';

export class CurrentEvents {
  /** Registrations and interfaces, in the order in which they came. */
  private readonly events = new Map<string, ServiceEvent>();

  note(event: ServiceEvent): void {
    switch (event.kind) {
      case 'registered':
        this.events.set(`${event.prefix} ${event.protocol}`, event);
        return;
      case 'unregistered':
        this.events.delete(`${event.prefix} ${event.protocol}`);
        return;
      case 'interfaceUp':
        this.events.set(`${event.networkInterface.index} ${event.networkInterface.address}`, event);
        return;
      case 'interfaceDown':
        this.events.delete(`${event.networkInterface.index} ${event.networkInterface.address}`);
    }
  }

  [Symbol.iterator](): Iterator<ServiceEvent> {
    return [...this.events.values()][Symbol.iterator]();
  }
}
