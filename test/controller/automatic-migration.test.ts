import { expect, it } from 'vitest';
import { AutomaticMigration } from '../../lib/controller/policies/automatic-migration';
import { AUTOMATIC_MIGRATION_SETTLE } from '../../lib/limits';
import type { NetworkInterface } from '../../lib/stack/control-interface';
import { type Instant, NEVER } from '../../lib/time/instant';
import { flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { drain } from './commands';

const at = (time: number): Instant => time as Instant;

function entry(name: string, ip: string): NetworkInterface {
  const address = NetworkAddress.parse(ip)!;
  return { name, index: 1, address, prefixBits: 24, mtu: 1500, isLoopback: address.isLoopback };
}

const WIRE = entry('eth0', '10.0.0.1');
const RADIO = entry('wlan0', '10.1.0.1');
const CELL = entry('wwan0', '10.2.0.1');

class Lab {
  now = 0;
  constructor(readonly policy = new AutomaticMigration()) {}

  up(...entries: NetworkInterface[]): this {
    for (const networkInterface of entries)
      this.policy.handleEvent({ kind: 'interfaceUp', networkInterface }, at(this.now));
    return this;
  }

  down(...entries: NetworkInterface[]): this {
    for (const networkInterface of entries)
      this.policy.handleEvent({ kind: 'interfaceDown', networkInterface }, at(this.now));
    return this;
  }

  silent(address: NetworkAddress | undefined): string[] {
    this.policy.handleEvent({ kind: 'pathSilent', flowID: flowID(7), address }, at(this.now));
    return this.commands();
  }

  /** What it asks for once things have settled. */
  settled(): string[] {
    this.now += AUTOMATIC_MIGRATION_SETTLE;
    this.policy.handleDeadline(at(this.now));
    return this.commands();
  }

  commands(): string[] {
    return drain(this.policy).map((command) => {
      if (command.kind !== 'migrate') throw new Error(`it asks for ${command.kind}`);
      const { flows, to } = command;
      const what = flows.by === 'interface' ? flows.interface : flows.by;
      return `${what} > ${to.interface}`;
    });
  }
}

it('sends stranded flows to the best interface that is left, and those it has no address for to the next', () => {
  const lab = new Lab().up(CELL, WIRE, RADIO);
  lab.settled();
  lab.down(WIRE);
  expect(lab.commands()).toEqual([]);
  expect(lab.policy.nextDeadline()).toBe(AUTOMATIC_MIGRATION_SETTLE + lab.now);
  expect(lab.settled()).toEqual(['stranded > wlan0', 'stranded > wwan0']);
  expect(lab.policy.nextDeadline()).toBe(NEVER);
});

it('has nowhere to send them without an interface, and does when one comes', () => {
  const lab = new Lab().up(WIRE);
  lab.settled();
  expect(lab.down(WIRE).settled()).toEqual([]);
  expect(lab.up(RADIO).settled()).toEqual(['stranded > wlan0']);
});

it('moves up to a better interface, and not to an equal or a worse one', () => {
  const lab = new Lab().up(RADIO);
  lab.settled();
  expect(lab.up(CELL).settled()).not.toContain('wlan0 > wwan0');
  expect(lab.up(WIRE).settled()).toEqual(expect.arrayContaining(['wlan0 > eth0', 'wwan0 > eth0']));
  expect(lab.up(entry('eth1', '10.3.0.1')).settled()).not.toContain('eth0 > eth1');
});

it('takes the order that it is given, and no loopback', () => {
  const lab = new Lab(new AutomaticMigration({ prefer: ['wlan0', 'ww*'] })).up(entry('lo', '127.0.0.1'), WIRE, CELL);
  expect(lab.settled()).toEqual(['stranded > wwan0', 'stranded > eth0', 'eth0 > wwan0']);
  expect(lab.up(RADIO).settled()).toEqual(expect.arrayContaining(['wwan0 > wlan0', 'eth0 > wlan0']));
});

it('does not move for an address whose properties change: it is gone and there again at once', () => {
  const lab = new Lab().up(WIRE, RADIO);
  lab.settled();
  lab.down(WIRE).up({ ...WIRE, mtu: 1400 });
  expect(lab.settled().filter((each) => each.startsWith('stranded'))[0]).toBe('stranded > eth0');
});

it('tries one interface after the other for a flow whose path is silent', () => {
  const lab = new Lab().up(WIRE, RADIO, CELL);
  lab.settled();
  expect(lab.silent(WIRE.address)).toEqual(['flow > wlan0']);
  expect(lab.silent(RADIO.address)).toEqual(['flow > wwan0']);
  expect(lab.silent(CELL.address)).toEqual(['flow > eth0']);
  expect(lab.silent(undefined)).toEqual(['flow > eth0']);
  lab.down(RADIO, CELL);
  lab.settled();
  expect(lab.silent(WIRE.address)).toEqual([]);
});
