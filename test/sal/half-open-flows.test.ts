import { describe, expect, it } from 'vitest';
import { Flow } from '../../lib/sal/flow';
import { HalfOpenFlows } from '../../lib/sal/half-open-flows';
import { LinkOutput } from '../../lib/sal/link-output';
import { Path } from '../../lib/sal/path';
import { SeededRandom } from '../../lib/time/seeded-random';
import { FlowNonce, flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { FakeSegments } from './wire';

const output = new LinkOutput(1, { kind: 'udp', encapsulated: true, role: 'data', mtu: 1500 });

function request(id: number, nonce: FlowNonce, client: NetworkAddress): Flow {
  const flow = new Flow(FlowNonce.zero, 0, 6, new FakeSegments());
  flow.setRemote(flowID(id), nonce);
  flow.setPath(new Path(1, undefined, client), output);
  return flow;
}

describe('HalfOpenFlows', () => {
  it('agrees with a list that is searched from end to end', () => {
    const random = SeededRandom.of(11);
    const flows = new HalfOpenFlows(random);
    const known: Flow[] = [];
    const clients = ['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::1:0'].map((ip) => NetworkAddress.parse(ip, 7)!);
    const draw = (count: number): number => random.uint32() % count;
    for (let step = 0; step < 5000; step++) {
      const [id, nonce, client] = [draw(40), FlowNonce.of(draw(3), draw(3)), clients[draw(4)]!] as const;
      const expected = known.find(
        (flow) => flow.remoteFlowID === id && flow.remoteNonce.equals(nonce) && flow.path!.remote === client,
      );
      const found = flows.find(flowID(id), nonce, client);
      expect(found).toBe(expected);
      if (found === undefined) {
        const flow = request(id, nonce, client);
        flows.add(flow);
        known.push(flow);
      } else if (draw(3) > 0) {
        expect([flows.delete(found), flows.delete(found)]).toEqual([true, false]);
        known.splice(known.indexOf(found), 1);
      }
      expect(flows.size).toBe(known.length);
      expect(flows.oldest).toBe(known[0]);
    }
    expect(known.length).toBeGreaterThan(100);
    expect([...flows]).toEqual(known);
  });

  it('spreads what clients choose over its places', () => {
    const flows = new HalfOpenFlows(SeededRandom.of(12));
    const client = NetworkAddress.parse('10.0.0.1', 7)!;
    for (let id = 1; id <= 4096; id++) flows.add(request(id << 16, FlowNonce.of(0, id << 20), client));
    let longest = 0;
    for (const flow of flows) {
      let length = 0;
      for (let at: Flow | undefined = flow; at !== undefined; at = at.nextHalfOpen) length++;
      longest = Math.max(longest, length);
    }
    expect(longest).toBeLessThan(64);
  });
});
