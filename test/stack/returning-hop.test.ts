// A next hop that is away - ICMP says that nobody is there - and comes back: what connects meanwhile is neither refused
// too early nor left waiting for its own repetition (§4.2).
import { expect, it } from 'vitest';
import { SILENT_OBSERVER } from '../../lib/driver/handles';
import { UNREACHABLE_GRACE } from '../../lib/limits';
import { World } from '../../lib/sim/world';
import { after, elapsed, type Instant, seconds } from '../../lib/time/instant';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

const SERVICE = ServiceID.fromHex('5e'.repeat(32))!;
const PREFIX = ServicePrefix.of(SERVICE);

/** A client whose only rule leads to where nobody is; how its connect ends, and when. */
function lost() {
  const world = new World({ seed: 11 });
  const [client, server] = [world.host('client'), world.host('server')];
  world.connect(client, server);
  server.listen(PREFIX, {}, { connection: () => {} });
  const begun = world.now;
  const ends: { how: string; at: Instant }[] = [];
  const end = (how: string) => ends.push({ how, at: world.now });
  const observer = {
    ...SILENT_OBSERVER,
    connected: () => end('connected'),
    failed: ({ code }: { code: string }) => end(code),
  };
  const nobody = server.address().withPort(9);
  client.forward(nobody, PREFIX);
  client.connect(SERVICE, {}, observer);
  const outcome = (): { how: string; time: number } => {
    world.run({ until: () => ends.length > 0 });
    return { how: ends[0]!.how, time: elapsed(begun, ends[0]!.at) };
  };
  return { world, client, server, nobody, begun, outcome };
}

it('is waited for as long as a restart takes, and then refuses', () => {
  const { how, time } = lost().outcome();
  expect(how).toBe('ECONNREFUSED');
  expect(time).toBeGreaterThan(UNREACHABLE_GRACE);
  expect(time).toBeLessThan(UNREACHABLE_GRACE + seconds(1.2));
});

it('has all of that time again once its rule has come anew', () => {
  const { world, client, nobody, begun, outcome } = lost();
  world.at(after(begun, seconds(2)), () => client.forward(nobody, PREFIX));
  const { how, time } = outcome();
  expect(how).toBe('ECONNREFUSED');
  expect(time).toBeGreaterThan(seconds(2) + UNREACHABLE_GRACE);
});

it('is asked at once when its rule comes anew', () => {
  const { world, client, server, begun, outcome } = lost();
  const back = seconds(1.93);
  world.at(after(begun, back), () => client.forward(server.address(), PREFIX, 1e6));
  const { how, time } = outcome();
  expect(how).toBe('connected');
  expect(time - back).toBeLessThan(50);
});
