// §4.2: the default rule of an interface comes and goes with it (P24, P25).
import { describe, expect, it } from 'vitest';
import { AdHoc } from '../../lib/controller/policies/ad-hoc';
import type { NetworkInterface } from '../../lib/stack/control-interface';
import { ServicePrefix } from '../../lib/wire/service-id';
import { address, drain, NOW, networkInterface, told } from './commands';

describe('AdHoc', () => {
  const policy = (port = 54325) => {
    const adHoc = new AdHoc({ link: 3, port });
    const up = (networkInterface: NetworkInterface) =>
      adHoc.handleEvent({ kind: 'interfaceUp', networkInterface }, NOW);
    const down = (networkInterface: NetworkInterface) =>
      adHoc.handleEvent({ kind: 'interfaceDown', networkInterface }, NOW);
    return { adHoc, up, down };
  };
  const eth0 = networkInterface('eth0', '10.0.0.1', '10.0.0.255');

  it('adds the default rule of §4.2 when an interface comes up', () => {
    const { adHoc, up } = policy();
    up(eth0);
    expect(drain(adHoc)).toEqual([
      {
        kind: 'addRule',
        rule: {
          action: 'forward',
          prefix: ServicePrefix.any,
          address: address('10.0.0.255', 54325),
          link: 3,
          broadcast: true,
          scope: 'network',
          selectAll: true,
          priority: 1,
          weight: 1,
        },
      },
    ]);
  });

  it('asks without a port on a link that has none', () => {
    const { adHoc, up } = policy(0);
    up(eth0);
    expect(told(adHoc)).toEqual(['addRule forward 0000/0 -> 10.0.0.255']);
  });

  it('removes the rule when the interface goes down', () => {
    const { adHoc, up, down } = policy();
    up(eth0);
    drain(adHoc);
    down(eth0);
    expect(told(adHoc)).toEqual(['deleteRule forward 0000/0 -> 10.0.0.255:54325']);
    down(eth0);
    expect(told(adHoc)).toEqual([]);
  });

  it('asks nobody by way of loopback or of an interface without broadcast', () => {
    const { adHoc, up, down } = policy();
    for (const one of [
      networkInterface('lo', '127.0.0.1', '127.255.255.255'),
      networkInterface('tun0', '10.9.0.1'),
      networkInterface('eth0', '2001:db8::1'),
    ]) {
      up(one);
      down(one);
    }
    expect(told(adHoc)).toEqual([]);
  });

  it('has one rule for each segment, however many addresses an interface has there', () => {
    const { adHoc, up, down } = policy();
    const second = networkInterface('eth0', '10.0.0.2', '10.0.0.255');
    up(eth0);
    up(second);
    up(networkInterface('wlan0', '10.1.0.1', '10.1.0.255'));
    expect(told(adHoc)).toEqual([
      'addRule forward 0000/0 -> 10.0.0.255:54325',
      'addRule forward 0000/0 -> 10.1.0.255:54325',
    ]);
    down(eth0);
    expect(told(adHoc)).toEqual([]);
    down(second);
    expect(told(adHoc)).toEqual(['deleteRule forward 0000/0 -> 10.0.0.255:54325']);
  });

  it('follows a broadcast address that changes, without a moment without a rule', () => {
    const { adHoc, up } = policy();
    up(eth0);
    up(eth0);
    up(networkInterface('eth0', '10.0.0.1', '10.0.255.255'));
    up(networkInterface('eth0', '10.0.0.1'));
    expect(told(adHoc)).toEqual([
      'addRule forward 0000/0 -> 10.0.0.255:54325',
      'addRule forward 0000/0 -> 10.0.255.255:54325',
      'deleteRule forward 0000/0 -> 10.0.0.255:54325',
      'deleteRule forward 0000/0 -> 10.0.255.255:54325',
    ]);
  });

  it('lets other events pass', () => {
    const { adHoc } = policy();
    adHoc.handleEvent({ kind: 'registered', prefix: ServicePrefix.any, protocol: 6, weight: 1 }, NOW);
    expect(told(adHoc)).toEqual([]);
  });
});
