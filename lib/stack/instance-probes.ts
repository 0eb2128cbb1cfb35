// Asks an instance whether it takes connections: a handshake that stops behind the SYN-ACK, of which its application
// sees nothing. A rule does not say for which protocol it is, so both are tried: a datagram service refuses streams,
// and is well.

import { PROBES_MAXIMUM } from '../limits';
import { type Flow, type FlowFailure, type FlowOwner, Flow as FlowRecord } from '../sal/flow';
import type { ServiceAccessLayer } from '../sal/service-access-layer';
import { ConnectAttempts } from '../sal/signaling/connect-attempts';
import { randomNonce, startHandshake } from '../sal/signaling/handshake';
import type { HandshakeSegments } from '../sal/signaling/handshake-segments';
import { resetFlow } from '../sal/signaling/teardown';
import type { Instant } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import type { ProbeOutcome, ServiceCommand, ServiceEvent } from './control-interface';

type ProbeCommand = Extract<ServiceCommand, { kind: 'probe' }>;

export interface ProbeContext {
  readonly sal: ServiceAccessLayer;
  createProbeSegments(protocol: 6 | 17): HandshakeSegments;
  probed(event: Extract<ServiceEvent, { kind: 'probed' }>): void;
}

export class InstanceProbes {
  private running = 0;

  constructor(private readonly context: ProbeContext) {}

  start(command: ProbeCommand, now: Instant): void {
    if (this.running >= PROBES_MAXIMUM) return this.tell(command, 'skipped');
    this.running++;
    const probe = new Probe(this.context.sal, (outcome) => {
      this.running--;
      this.tell(command, outcome);
    });
    const flows = ([6, 17] as const).map((protocol) => this.createFlow(command, protocol, probe));
    for (const flow of flows) probe.begin(flow, command, now);
  }

  private createFlow({ serviceID, address }: ProbeCommand, protocol: 6 | 17, owner: FlowOwner): Flow {
    const { sal } = this.context;
    const segments = this.context.createProbeSegments(protocol);
    const flow = new FlowRecord(randomNonce(sal), sal.random.uint32(), protocol, segments);
    flow.service = serviceID;
    flow.via = [address];
    flow.stopsAtAnswer = true;
    flow.owner = owner;
    // A router in that place has failed somebody: it is to look at its own instances, and does for a SYN that comes
    // again.
    flow.attempts = new ConnectAttempts(1);
    return flow;
  }

  private tell({ serviceID, address, link }: ProbeCommand, outcome: ProbeOutcome): void {
    this.context.probed({ kind: 'probed', serviceID, address, link, outcome });
  }
}

/** Two flows that ask the same. The first SYN-ACK decides; without one, whether anybody spoke at all. */
class Probe implements FlowOwner {
  private readonly waiting = new Set<Flow>();
  private isDone = false;
  private wasRefused = false;
  private wasSkipped = false;
  private left = 2;

  constructor(
    private readonly sal: ServiceAccessLayer,
    private readonly tell: (outcome: ProbeOutcome) => void,
  ) {}

  begin(flow: Flow, { timeout }: ProbeCommand, now: Instant): void {
    if (this.isDone) return;
    this.waiting.add(flow);
    if (startHandshake(this.sal, flow, timeout, now) === 'tableFull') this.flowClosed(flow, 'noRoom');
  }

  flowAnswered(flow: Flow, _routers: readonly NetworkAddress[], now: Instant): void {
    this.waiting.delete(flow);
    this.end('answered');
    for (const other of this.waiting) resetFlow(this.sal, other, now);
  }

  flowClosed(flow: Flow, failure: FlowFailure | undefined): void {
    this.waiting.delete(flow);
    if (failure === 'refused' && flow.attempts?.wasFull === true) this.end('answered');
    else if (failure === 'refused') this.wasRefused = true;
    // Our own want of room says nothing of the instance.
    else if (failure !== 'timedOut') this.wasSkipped = true;
    if (--this.left > 0) return;
    if (this.wasSkipped) this.end('skipped');
    else this.end(this.wasRefused ? 'refused' : 'unanswered');
  }

  flowConnected(): void {}
  flowTrain(): void {}
  flowMessage(): void {}
  flowFinished(): void {}

  private end(outcome: ProbeOutcome): void {
    if (this.isDone) return;
    this.isDone = true;
    this.tell(outcome);
  }
}
