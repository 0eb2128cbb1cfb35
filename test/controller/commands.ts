// What the tests of policies share: interfaces that come and go, and the commands that follow.

import type { ServiceController } from '../../lib/controller/service-controller';
import type { NetworkInterface, ServiceCommand } from '../../lib/stack/control-interface';
import type { ForwardRule } from '../../lib/table/service-rule';
import type { Instant } from '../../lib/time/instant';
import { NetworkAddress } from '../../lib/wire/network-address';

export const NOW = 1000 as Instant;

export function address(ip: string, port = 0): NetworkAddress {
  return NetworkAddress.parse(ip, port)!;
}

export function networkInterface(name: string, ip: string, broadcast?: string): NetworkInterface {
  return {
    name,
    index: name.length,
    address: address(ip),
    prefixBits: 24,
    mtu: 1500,
    isLoopback: ip === '127.0.0.1' || ip === '::1',
    ...(broadcast !== undefined && { broadcast: address(broadcast) }),
  };
}

export function drain(controller: ServiceController): ServiceCommand[] {
  const commands: ServiceCommand[] = [];
  for (let command = controller.pollCommand(); command; command = controller.pollCommand()) commands.push(command);
  return commands;
}

/** Commands as one reads them: `addRule forward 0000../0 -> 10.0.0.255:54325`. */
export function told(controller: ServiceController): string[] {
  return drain(controller).map(describeCommand);
}

function describeCommand(command: ServiceCommand): string {
  switch (command.kind) {
    case 'addRule':
    case 'deleteRule':
      return `${command.kind} ${describeRule(command.rule as ForwardRule)}`;
    case 'modifyRule':
      return `modifyRule ${describeRule(command.rule as ForwardRule)} weight ${command.weight}`;
    case 'ejectRule':
    case 'readmitRule':
      return `${command.kind} ${describeRule(command.rule as ForwardRule)}`;
    case 'setPicker':
      return `setPicker /${command.prefix.bits} ${command.picker}`;
    case 'probe':
      return `probe ${command.serviceID.toString().slice(0, 4)} at ${command.address}`;
    case 'setRouter':
      return `setRouter ${command.router}`;
    case 'peerGone':
      return `peerGone ${command.address}`;
    case 'migrate':
      return `migrate ${command.flows.by} -> ${command.to.interface ?? command.to.address}`;
    default:
      return `${command.kind} /${command.prefix.bits}`;
  }
}

function describeRule(rule: ForwardRule): string {
  const what = `${rule.action} ${rule.prefix.base.toString().slice(0, 4)}/${rule.prefix.bits}`;
  return rule.action === 'forward' ? `${what} -> ${rule.address}` : what;
}
