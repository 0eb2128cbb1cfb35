// A test as the client goes through it: asks for it, opens its streams, runs it, and gathers what both ends counted.

import { once } from 'node:events';
import { type Host, promises, ServiceID, type Socket } from '../../index';
import { ClientLanes } from './client-lanes';
import { ControlChannel } from './control-channel';
import { within } from './deadline';
import type { EndReport } from './end-report';
import { exchangeResults } from './exchange';
import { IntervalClock, type IntervalReport } from './intervals';
import { PERF_PROTOCOL_VERSION } from './messages';
import { describeError, type ErrorDescription, PerfError, PerfErrorCode } from './perf-error';
import { PERF_INTERRUPT_GRACE, PERF_INTERVALS_MAXIMUM, PERF_SETUP_TIMEOUT } from './perf-limits';
import { RunningTest } from './running-test';
import type { TestParameters } from './test-parameters';
import { TestToken } from './test-token';

export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** All that is known of a test, however it went. */
export interface Outcome {
  peer?: Peer;
  own?: EndReport;
  other?: EndReport;
  readonly intervals: IntervalReport[];
  interrupted: boolean;
  error?: ErrorDescription;
}

export interface ClientObserver {
  running(peer: Peer): void;
  interval(report: IntervalReport): void;
}

export class ClientTest {
  readonly outcome: Outcome = { intervals: [], interrupted: false };
  private channel: ControlChannel | undefined;
  private running: RunningTest | undefined;
  private readonly interruption = new AbortController();

  constructor(
    private readonly host: Host,
    private readonly service: string,
    private readonly parameters: TestParameters,
    private readonly interval: number,
    private readonly observer: ClientObserver,
  ) {}

  /** Never rejects: what went wrong is part of the outcome. */
  async run(): Promise<Outcome> {
    try {
      await this.orInterrupted(this.carryOut());
    } catch (error) {
      this.outcome.error = describeError(error);
    } finally {
      // Whatever is under way still fails with it, and cleans up.
      this.channel?.end();
    }
    if (this.running !== undefined) this.outcome.own = this.running.report();
    this.outcome.interrupted ||= this.running?.isInterrupted ?? false;
    return this.outcome;
  }

  /** Ends the test early, with figures; before it runs, or when the server does not answer, without. */
  interrupt(): void {
    this.outcome.interrupted = true;
    if (this.running === undefined) return this.interruption.abort();
    this.channel?.send({ type: 'stop' });
    this.running.interrupt();
    setTimeout(() => this.interruption.abort(), PERF_INTERRUPT_GRACE).unref();
  }

  private async carryOut(): Promise<void> {
    const control = await promises.connect(this.service, { host: this.host, noDelay: true });
    const channel = new ControlChannel(control);
    this.channel = channel;
    const closed = once(control, 'close');
    closed.catch(() => {});
    let lanes: ClientLanes | undefined;
    try {
      channel.send({ type: 'request', version: PERF_PROTOCOL_VERSION, parameters: this.parameters });
      const accepted = await within(PERF_SETUP_TIMEOUT, 'the answer to the request', channel.expect('accepted'));
      const [token, instance] = [TestToken.fromHex(accepted.token), ServiceID.fromHex(accepted.instance)!];
      lanes = new ClientLanes({ host: this.host, instance, token, parameters: this.parameters });
      await within(PERF_SETUP_TIMEOUT, 'opening the streams', this.openLanes(channel, lanes));
      this.outcome.peer = peerOf(control);
      await this.measure(channel, lanes);
    } catch (error) {
      channel.send({ type: 'error', ...describeError(error) });
      throw error;
    } finally {
      this.running?.abort();
      lanes?.close();
      channel.end();
      // The host is closed next, and what it has not sent by then is lost: our results among it.
      await within(PERF_INTERRUPT_GRACE, 'closing', closed).catch(() => {});
    }
  }

  /** The server may refuse while they are opened. */
  private async openLanes(channel: ControlChannel, lanes: ClientLanes): Promise<void> {
    await Promise.all([lanes.open(), channel.expect('running')]);
    lanes.handleRunning();
  }

  private async measure(channel: ControlChannel, { lanes }: ClientLanes): Promise<void> {
    const running = new RunningTest(lanes, this.parameters.seconds);
    this.running = running;
    this.observer.running(this.outcome.peer!);
    const clock = new IntervalClock(running, this.interval, (report) => this.handleInterval(report));
    running.start();
    try {
      this.outcome.other = await exchangeResults(channel, running, this.parameters);
    } finally {
      clock.end();
    }
  }

  private handleInterval(report: IntervalReport): void {
    if (this.outcome.intervals.length < PERF_INTERVALS_MAXIMUM) this.outcome.intervals.push(report);
    this.observer.interval(report);
  }

  private async orInterrupted(work: Promise<void>): Promise<void> {
    const { signal } = this.interruption;
    let handle = (): void => {};
    const interrupted = new Promise<never>((_, reject) => {
      const before = 'interrupted before the server had told its figures';
      handle = () => reject(new PerfError(PerfErrorCode.interrupted, before));
      signal.addEventListener('abort', handle, { once: true });
    });
    work.catch(() => {});
    await Promise.race([work, interrupted]);
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): Peer {
  return { address: remoteAddress ?? '', port: remotePort ?? 0 };
}
