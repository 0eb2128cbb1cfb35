// A connect whose maker knows where to ask: the service table has no say in it.
import { describe, expect, it } from 'vitest';
import { type ListenerObserver, SILENT_OBSERVER } from '../../lib/driver/handles';
import { World } from '../../lib/sim/world';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

const SERVICE = ServiceID.fromHex('5e'.repeat(32))!;

function pair() {
  const world = new World({ seed: 7 });
  const [client, server] = [world.host('client'), world.host('server')];
  world.connect(client, server);
  const accepted: string[] = [];
  const observer: ListenerObserver = { connection: (handle) => accepted.push(handle.remoteAddress!.ip) };
  server.listen(ServicePrefix.of(SERVICE), {}, observer);
  return { world, client, server, accepted };
}

const outcomeOf = (log: string[]) => ({
  ...SILENT_OBSERVER,
  connected: () => log.push('connected'),
  failed: (error: { code: string }) => log.push(error.code),
});

describe('connect via', () => {
  it('goes to that address, not to a local socket of the same service', () => {
    const { world, client, server, accepted } = pair();
    const local: string[] = [];
    client.listen(ServicePrefix.of(SERVICE), {}, { connection: () => local.push('local') });
    const log: string[] = [];
    client.connect(SERVICE, { via: [server.address()] }, outcomeOf(log));
    world.run({ until: () => accepted.length > 0 });
    expect([log, local]).toEqual([['connected'], []]);
    expect(accepted).toEqual([client.address().ip]);
  });

  it('takes the first answer of several addresses', () => {
    const { world, client, server } = pair();
    const log: string[] = [];
    const nobody = server.address().withPort(9);
    client.connect(SERVICE, { via: [nobody, server.address()] }, outcomeOf(log));
    world.run({ until: () => log.length > 0 });
    expect(log).toEqual(['connected']);
  });

  it('fails at once without an address', () => {
    const { world, client } = pair();
    const log: string[] = [];
    client.connect(SERVICE, { via: [] }, outcomeOf(log));
    world.run({ until: () => log.length > 0 });
    expect(log).toEqual(['EHOSTUNREACH']);
  });
});
