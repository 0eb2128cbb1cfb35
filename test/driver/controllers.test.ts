// The controllers beside a stack (§4.3): what they hear, and when what they want is carried out.

import { describe, expect, it } from 'vitest';
import { CommandQueue } from '../../lib/controller/command-queue';
import type { ServiceController } from '../../lib/controller/service-controller';
import type { ServiceEvent } from '../../lib/stack/control-interface';
import { after, type Instant, milliseconds, NEVER } from '../../lib/time/instant';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { AttackedHost, Clock } from '../stack/attacked-host';

const SERVICE = ServicePrefix.of(ServiceID.fromHex('5e'.repeat(32))!);

/** Delays what is asked for 50 ms after a service was registered here. */
class Scripted implements ServiceController {
  readonly heard: string[] = [];
  private readonly commands = new CommandQueue();
  private at = NEVER;

  handleEvent(event: ServiceEvent, now: Instant): void {
    this.heard.push(event.kind);
    if (event.kind === 'registered') this.at = after(now, milliseconds(50));
  }

  nextDeadline(): Instant {
    return this.at;
  }

  handleDeadline(now: Instant): void {
    if (this.at > now) return;
    this.at = NEVER;
    this.want();
  }

  want(): void {
    this.commands.push({ kind: 'addRule', rule: { action: 'delay', prefix: SERVICE, priority: 1, weight: 1 } });
  }

  pollCommand() {
    return this.commands.poll();
  }
}

function driven() {
  const clock = new Clock();
  const host = new AttackedHost(clock, NetworkAddress.parse('10.0.0.1', 4000)!, 1);
  const scripted = new Scripted();
  host.driver.addController(scripted);
  const rules = () => [...host.stack.sal.serviceTable.rules()].map(({ action }) => action);
  const listen = () => host.sockets.listen(SERVICE, {}, { connection() {} });
  return { clock, host, scripted, rules, listen };
}

describe('controllers', () => {
  it('hear what sockets and interfaces do', () => {
    const { host, scripted, listen } = driven();
    const listener = listen();
    host.turn();
    listener.close();
    host.turn();
    const networkInterface = { index: 2, name: 'e0', address: host.address, isLoopback: false };
    host.driver.tellControllers({
      kind: 'interfaceUp',
      networkInterface: { ...networkInterface, prefixBits: 24, mtu: 1500 },
    });
    expect(scripted.heard).toEqual(['registered', 'unregistered', 'interfaceUp']);
  });

  it('have their deadlines kept, and their commands carried out then', () => {
    const { clock, host, rules, listen } = driven();
    listen();
    host.turn();
    clock.now = (clock.now + milliseconds(49)) as Instant;
    host.turn();
    expect(rules()).toEqual(['demux']);
    clock.now = (clock.now + milliseconds(1)) as Instant;
    host.turn();
    expect(rules()).toEqual(['demux', 'delay']);
  });

  it('are run when they were told something by other ways', () => {
    const { host, scripted, rules } = driven();
    scripted.want();
    expect(rules()).toEqual([]);
    host.driver.runControllers();
    expect(rules()).toEqual(['delay']);
  });

  it('hear nothing more once they are removed', () => {
    const { host, scripted, listen } = driven();
    host.driver.removeController(scripted);
    listen();
    host.turn();
    expect(scripted.heard).toEqual([]);
  });
});
