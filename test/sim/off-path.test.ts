// Somebody who can forge whatever source he likes, but sees nothing of what others say: he makes clients and routers ask
// a little, and ejects no instance that is well.

import { describe, expect, it } from 'vitest';
import { SILENT_OBSERVER } from '../../lib/driver/handles';
import { OUTLIER_PROBE_INTERVAL } from '../../lib/limits';
import { Delay } from '../../lib/sim/elements/delay';
import type { SimulatedHost } from '../../lib/sim/simulated-host';
import type { NetworkReport, SimulatedPacket } from '../../lib/sim/simulated-packet';
import { World } from '../../lib/sim/world';
import { milliseconds, seconds } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ControlFlag, controlSequence } from '../../lib/wire/control-extension';
import { FlowNonce, flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { type SalPacketHeader, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

const service = ServiceID.fromHex('5e'.repeat(32))!;
const prefix = ServicePrefix.of(service);
const DURATION = seconds(10);

class Attack {
  readonly world = new World({ seed: 77, traceCapacity: 1 });
  readonly random = SeededRandom.of(78);
  readonly client = this.host('client');
  readonly router = this.host('router', { forwards: true });
  readonly instances = [1, 2, 3].map((number) => this.host(`instance${number}`));
  readonly took: number[] = [];
  failed = 0;
  /** Instances that were asked, by the router and by the client. */
  probes = 0;
  ejected = 0;

  constructor() {
    const connection = (): void => {};
    for (const instance of this.instances) {
      instance.listen(prefix, {}, { connection });
      this.router.forward(instance.address(), prefix);
    }
    // One it knows itself, and the others by way of the router.
    this.client.forward(this.router.address(), prefix);
    this.client.forward(this.instances[0]!.address(), prefix);
  }

  run(strike: (attack: Attack) => void): void {
    const { world } = this;
    for (let at = 0; at < DURATION; at += 20) world.in(milliseconds(at), () => this.connect());
    for (let at = 0; at < DURATION; at += 1) world.in(milliseconds(at), () => strike(this));
    for (let at = 0; at < DURATION; at += 5) world.in(milliseconds(at), () => this.look());
    world.run({ for: DURATION });
    world.run({ for: seconds(10) });
  }

  /** Has the packet arrive at the host as if `source` had sent it to that port of it. */
  forge(to: SimulatedHost, source: NetworkAddress, header: SalPacketHeader, port = to.servicePort): void {
    const bytes = new Uint8Array(400);
    let length = writeSalPacketHeader(bytes, 0, header);
    // An empty UDP header.
    bytes[length + 5] = 8;
    length += 8;
    this.arrive(to, source, port, bytes.subarray(0, length), undefined);
  }

  report(to: SimulatedHost, about: NetworkAddress, port: number): void {
    this.arrive(to, about, port, new Uint8Array(0), { kind: 'unreachable', about });
  }

  private arrive(
    to: SimulatedHost,
    source: NetworkAddress,
    port: number,
    bytes: Uint8Array,
    report: NetworkReport | undefined,
  ): void {
    const destination = to.address().withPort(port);
    const common = { serial: 0, from: 'attacker', source, destination, encapsulated: true, bytes, damaged: false };
    const packet: SimulatedPacket = report === undefined ? common : { ...common, report };
    to.interfaces[0]!.receive(packet, to.interfaces[0]!);
  }

  private connect(): void {
    const since = this.world.now;
    const handle = this.client.connect(
      service,
      {},
      {
        ...SILENT_OBSERVER,
        connected: () => {
          this.took.push(this.world.now - since);
          handle.reset();
        },
        failed: () => {
          this.failed++;
        },
      },
    );
  }

  private look(): void {
    for (const { stack } of [this.client, this.router]) {
      for (const rule of stack.sal.serviceTable.rules()) {
        if (rule.action === 'forward' && rule.ejected === true) this.ejected++;
      }
    }
  }

  private host(name: string, options = {}): SimulatedHost {
    const host = this.world.host(name, options);
    // An answer takes its time: who is passed over meanwhile is seen.
    const delay = milliseconds(1);
    this.world.attach(host, this.world.segment('lan'), { outbound: [new Delay(delay)], inbound: [new Delay(delay)] });
    const { stack } = host;
    const carryOut = stack.handleCommand.bind(stack);
    stack.handleCommand = (command, now) => {
      if (command.kind === 'probe') this.probes++;
      carryOut(command, now);
    };
    return host;
  }
}

/** Flows have the first port of a simulated kernel: nobody needs to guess it here. */
const DATA_PORT = 49_152;

describe('an attacker off the path', () => {
  it('ejects nobody by ICMP', () => {
    const attack = new Attack();
    attack.run(({ router, client, instances }) => {
      for (const instance of instances) {
        for (const victim of [router, client]) attack.report(victim, instance.address(), DATA_PORT);
        attack.report(client, instance.address().withPort(DATA_PORT), DATA_PORT);
      }
      attack.report(client, router.address(), DATA_PORT);
    });
    expectUnharmed(attack);
    // It was heard, and made them ask.
    expect(attack.router.stack.sal.counters.value('unreachable')).toBeGreaterThan(1000);
    expect(attack.probes).toBeGreaterThan(20);
  });

  it('ejects nobody by SYNs that say they come again', () => {
    const attack = new Attack();
    attack.run(({ router, random }) => {
      const source = NetworkAddress.fromWords(4, 4000, 0x0a010100 | (random.uint32() & 0xff), 0, 0, 0);
      const nonce = FlowNonce.of(random.uint32(), random.uint32());
      for (const detail of [0, 1, 2, 3]) attack.forge(router, source, synOf(random, nonce, detail));
    });
    expectUnharmed(attack);
    expect(attack.router.stack.sal.counters.value('forwarded')).toBeGreaterThan(1000);
    expect(attack.probes).toBeGreaterThan(20);
  });

  it('ejects nobody by RSTs and SYN-ACKs, though it knows the flowIDs', () => {
    const attack = new Attack();
    attack.run(({ router, client, instances, random }) => {
      for (const victim of [router, client]) {
        for (const flow of victim.stack.sal.flowTable.values()) {
          for (const flags of [ControlFlag.rst | ControlFlag.ack, ControlFlag.rst, ControlFlag.syn | ControlFlag.ack]) {
            const from = instances[random.uint32() % 3]!.address();
            attack.forge(victim, from, answerOf(random, flow.localFlowID, flags), DATA_PORT);
          }
        }
      }
    });
    expectUnharmed(attack);
    expect(
      attack.router.stack.sal.counters.value('badNonce') + attack.client.stack.sal.counters.value('badNonce'),
    ).toBeGreaterThan(100);
  });
});

function expectUnharmed({ took, failed, ejected, probes, router, client }: Attack): void {
  expect(failed).toBe(0);
  expect(took).toHaveLength(DURATION / 20);
  expect(Math.max(...took)).toBeLessThan(20);
  expect(ejected).toBe(0);
  // The router asks its three instances, the client the one that it knows, and the router.
  expect(probes).toBeLessThanOrEqual((5 * DURATION) / OUTLIER_PROBE_INTERVAL);
  for (const { stack } of [router, client]) expect(stack.sal.flowTable.size).toBe(0);
}

function synOf(random: SeededRandom, nonce: FlowNonce, detail: number): SalPacketHeader {
  const control = {
    flags: ControlFlag.syn,
    controlSequence: controlSequence(7),
    controlAck: controlSequence(0),
    detail,
  };
  return {
    sourceFlowID: flowID(random.uint32()),
    destinationFlowID: flowID(0),
    protocol: 17,
    control: { ...control, nonce },
    destinationService: service,
  };
}

function answerOf(random: SeededRandom, to: number, flags: number): SalPacketHeader {
  return {
    sourceFlowID: flowID(random.uint32()),
    destinationFlowID: flowID(to),
    protocol: 6,
    control: {
      flags,
      controlSequence: controlSequence(random.uint32()),
      controlAck: controlSequence(random.uint32()),
      nonce: FlowNonce.of(random.uint32(), random.uint32()),
    },
  };
}
