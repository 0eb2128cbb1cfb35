import { describe, expect, it } from 'vitest';
import { configurationFrom, type HostOptions } from '../../lib/host/configuration';
import { servicePrefix } from '../../lib/socket/service-name';
import { NetworkAddress } from '../../lib/wire/network-address';

describe('host configuration', () => {
  it('has defaults for everything', () => {
    expect(configurationFrom({}, {})).toEqual({
      port: 54325,
      dataPort: 0,
      links: ['udp'],
      router: undefined,
      native: true,
      broadcast: true,
      registry: 'default',
      control: 'default',
      spin: 0,
      resolvers: [],
      pickers: [],
      ejection: true,
      flooding: false,
      servd: 'off',
      migration: true,
    });
  });

  it('reads the environment', () => {
    const environment = {
      SERVAL_PORT: '6000',
      SERVAL_DATA_PORT: '6001',
      SERVAL_LINKS: 'udp-dgram, raw',
      SERVAL_ROUTER: '192.0.2.1',
      SERVAL_NATIVE: '0',
      SERVAL_BROADCAST: 'false',
      SERVAL_REGISTRY: '/run/serval.sock',
      SERVAL_CONTROL: '0',
      SERVAL_SPIN: '50',
      SERVAL_PICKERS: 'acme/web=rendezvous, acme/*=least-loaded,a=b=random',
      SERVAL_EJECTION: '0',
      SERVAL_MIGRATION: 'wlan0, en*',
    };
    expect(configurationFrom({}, environment)).toEqual({
      port: 6000,
      dataPort: 6001,
      links: ['udp-dgram', 'raw'],
      router: NetworkAddress.parse('192.0.2.1', 6000),
      native: false,
      broadcast: false,
      registry: { path: '/run/serval.sock' },
      control: 'off',
      spin: 50,
      resolvers: [],
      pickers: [
        { prefix: servicePrefix('acme/web'), picker: 'rendezvous' },
        { prefix: servicePrefix('acme/*'), picker: 'least-loaded' },
        { prefix: servicePrefix('a=b'), picker: 'random' },
      ],
      ejection: false,
      flooding: false,
      servd: 'off',
      migration: ['wlan0', 'en*'],
    });
  });

  it('reads options before the environment', () => {
    const environment = { SERVAL_PORT: '6000', SERVAL_NATIVE: '1', SERVAL_LINKS: 'raw', SERVAL_REGISTRY: '1' };
    const options: HostOptions = { port: 7000, native: false, links: ['udp'], registry: false };
    expect(configurationFrom(options, environment)).toMatchObject({
      port: 7000,
      native: false,
      links: ['udp'],
      registry: 'off',
    });
  });

  it('takes an empty variable and an undefined option for none', () => {
    expect(configurationFrom({ port: undefined }, { SERVAL_PORT: '', SERVAL_ROUTER: '' }).port).toBe(54325);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1:54325'],
    ['192.0.2.1:99', '192.0.2.1:99'],
    ['2001:db8::1', '[2001:db8::1]:54325'],
    ['[2001:db8::1]', '[2001:db8::1]:54325'],
    ['[2001:db8::1]:99', '[2001:db8::1]:99'],
  ])('takes %s for a router', (text, expected) => {
    expect(String(configurationFrom({}, { SERVAL_ROUTER: text }).router)).toBe(expected);
  });

  it('takes a NetworkAddress for a router, and gives it the port that it lacks', () => {
    const router = NetworkAddress.parse('192.0.2.1')!;
    expect(String(configurationFrom({ router, port: 77 }, {}).router)).toBe('192.0.2.1:77');
    expect(String(configurationFrom({ router: router.withPort(5) }, {}).router)).toBe('192.0.2.1:5');
  });

  it.each([
    ['SERVAL_PORT', 'abc', TypeError, 'ERR_INVALID_ARG_TYPE'],
    ['SERVAL_PORT', '0', RangeError, 'ERR_SOCKET_BAD_PORT'],
    ['SERVAL_PORT', '65536', RangeError, 'ERR_SOCKET_BAD_PORT'],
    ['SERVAL_PORT', '-1', TypeError, 'ERR_INVALID_ARG_TYPE'],
    ['SERVAL_DATA_PORT', '99999', RangeError, 'ERR_SOCKET_BAD_PORT'],
    ['SERVAL_SPIN', '51', RangeError, 'ERR_OUT_OF_RANGE'],
    ['SERVAL_SPIN', '-1', TypeError, 'ERR_INVALID_ARG_TYPE'],
    ['SERVAL_LINKS', 'udp,tcp', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_LINKS', ',', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_LINKS', 'udp,udp', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_LINKS', 'udp,udp-dgram', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_ROUTER', 'router.example', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_ROUTER', '192.0.2.1:0', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_ROUTER', '192.0.2.1:70000', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_ROUTER', '[192.0.2.1]:99', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_ROUTER', '0.0.0.0', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_ROUTER', 'ff02::1', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_NATIVE', 'no', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_BROADCAST', '2', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_REGISTRY', 'here.sock', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_PICKERS', 'acme/web', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_PICKERS', 'acme/web=nearest', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_PICKERS', 'a/b/c/d/e=random', TypeError, 'ERR_INVALID_ARG_VALUE'],
    ['SERVAL_EJECTION', 'no', TypeError, 'ERR_INVALID_ARG_VALUE'],
  ])('refuses %s=%s and says which it was', (name, value, kind, code) => {
    const read = () => configurationFrom({}, { [name]: value });
    expect(read).toThrow(kind);
    expect(read).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(`^${name} m(ust|ay) .*(got|not) `) }),
    );
  });

  it.each([
    [{ port: '6000.5' }, 'options.port'],
    [{ port: 1.5 }, 'options.port'],
    [{ links: 'tcp' }, 'options.links'],
    [{ links: [] }, 'options.links'],
    [{ router: 5 }, 'options.router'],
    [{ native: 1 }, 'options.native'],
    [{ registry: 1 }, 'options.registry'],
    [{ pickers: ['random'] }, 'options.pickers'],
    [{ pickers: { 'acme/web': 'toString' } }, 'options.pickers'],
    [{ prot: 1 }, 'options.prot'],
    [null, 'options'],
    [[], 'options'],
  ])('refuses %o', (options, name) => {
    const read = () => configurationFrom(options as HostOptions, {});
    expect(read).toThrow(expect.objectContaining({ message: expect.stringContaining(name) }));
  });
});
