// Turns "the process with these UDP ports on this host has ended" into `peerGone` for every address under
// which its peers on the host may know it, so that their connections fail now instead of by a timeout.

import type { ServiceCommand, ServiceEvent } from '../../stack/control-interface';
import type { Instant } from '../../time/instant';
import { type AddressFamily, NetworkAddress } from '../../wire/network-address';
import { CommandQueue } from '../command-queue';
import type { ServiceController } from '../service-controller';

const LOOPBACKS = [NetworkAddress.parse('127.0.0.1')!, NetworkAddress.parse('::1')!];

export class DepartedProcesses implements ServiceController {
  private readonly commands = new CommandQueue();
  /** The host's own addresses, by interface and address. */
  private readonly addresses = new Map<string, NetworkAddress>();

  /** `ports`: the data port of the ended process, for each family it had one. */
  handleDeparted(ports: readonly { readonly family: AddressFamily; readonly port: number }[]): void {
    const told = new Set<string>();
    for (const { family, port } of ports) {
      for (const address of [...LOOPBACKS, ...this.addresses.values()]) {
        const gone = address.withPort(port);
        if (address.family !== family || told.has(gone.toString())) continue;
        told.add(gone.toString());
        this.commands.push({ kind: 'peerGone', address: gone });
      }
    }
  }

  handleEvent(event: ServiceEvent, _now: Instant): void {
    if (event.kind !== 'interfaceUp' && event.kind !== 'interfaceDown') return;
    const { index, address } = event.networkInterface;
    if (event.kind === 'interfaceUp') this.addresses.set(`${index} ${address}`, address);
    else this.addresses.delete(`${index} ${address}`);
  }

  pollCommand(): ServiceCommand | undefined {
    return this.commands.poll();
  }
}
