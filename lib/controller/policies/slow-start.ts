// Slow start (docs/choosing-instances.md): an instance that has just come, or come back, gets a share of first packets
// that grows to its whole weight, so that caches fill and code warms up before it carries its part. It stands around
// another controller, and changes the weights in what that commands.

import { SLOW_START_STEPS, SLOW_STARTS_MAXIMUM } from '../../limits';
import type { ServiceCommand, ServiceEvent } from '../../stack/control-interface';
import type { RuleKey } from '../../table/service-rule';
import { DeadlineQueue, type HasQueuePosition, NOT_QUEUED } from '../../time/deadline-queue';
import { after, type Duration, earlier, type Instant, milliseconds, NEVER } from '../../time/instant';
import { CommandQueue } from '../command-queue';
import type { ServiceController } from '../service-controller';

type ForwardKey = Extract<RuleKey, { action: 'forward' }>;

/** A weight that grows. */
class Ramp implements HasQueuePosition {
  queuePosition = NOT_QUEUED;
  /** Parts of the whole weight that the rule has, of SLOW_START_STEPS. */
  step = 1;

  constructor(
    readonly key: string,
    readonly rule: ForwardKey,
    public weight: number,
  ) {}

  get weightNow(): number {
    return Math.max(1, Math.round((this.weight * this.step) / SLOW_START_STEPS));
  }
}

export class SlowStart implements ServiceController {
  private readonly commands = new CommandQueue();
  private readonly ramps = new Map<string, Ramp>();
  /** Commands come without a time: these begin with the next look at the clock. */
  private readonly beginning: Ramp[] = [];
  private readonly deadlines = new DeadlineQueue<Ramp>();
  private readonly stepTime: Duration;

  constructor(
    private readonly inner: ServiceController,
    /** Until an instance has its whole weight. */
    duration: Duration,
  ) {
    this.stepTime = milliseconds(duration / (SLOW_START_STEPS - 1));
  }

  handleEvent(event: ServiceEvent, now: Instant): void {
    this.inner.handleEvent(event, now);
    if (event.kind !== 'ruleReadmitted' || event.wasWell || event.rule.action !== 'forward') return;
    const ramp = this.begin(event.rule, event.weight);
    if (ramp !== undefined) this.commands.push({ kind: 'modifyRule', rule: ramp.rule, weight: ramp.weightNow });
  }

  pollCommand(): ServiceCommand | undefined {
    const command = this.inner.pollCommand();
    return command === undefined ? this.commands.poll() : this.changed(command);
  }

  nextDeadline(): Instant {
    const own = this.beginning.length > 0 ? (0 as Instant) : this.deadlines.next();
    return earlier(own, this.inner.nextDeadline?.() ?? NEVER);
  }

  handleDeadline(now: Instant): void {
    this.inner.handleDeadline?.(now);
    for (const ramp of this.beginning.splice(0)) {
      if (this.ramps.get(ramp.key) === ramp) this.deadlines.set(ramp, after(now, this.stepTime));
    }
    for (let ramp = this.deadlines.popDue(now); ramp !== undefined; ramp = this.deadlines.popDue(now)) {
      ramp.step++;
      this.commands.push({ kind: 'modifyRule', rule: ramp.rule, weight: ramp.weightNow });
      if (ramp.step < SLOW_START_STEPS) this.deadlines.set(ramp, after(now, this.stepTime));
      else this.ramps.delete(ramp.key);
    }
  }

  private changed(command: ServiceCommand): ServiceCommand {
    if (command.kind === 'addRule') {
      const { rule } = command;
      // Default rules and broadcasts lead to no instance.
      if (rule.action !== 'forward' || rule.broadcast || rule.prefix.bits === 0) return command;
      const ramp = this.begin(rule, rule.weight);
      return ramp === undefined ? command : { kind: 'addRule', rule: { ...rule, weight: ramp.weightNow } };
    }
    if (command.kind === 'deleteRule') this.end(command.rule);
    if (command.kind !== 'modifyRule' || command.weight === undefined) return command;
    const ramp = command.rule.action === 'forward' ? this.ramps.get(keyOf(command.rule)) : undefined;
    if (ramp === undefined) return command;
    ramp.weight = command.weight;
    return { ...command, weight: ramp.weightNow };
  }

  /** `undefined` when so many weights grow that this one is whole from the start. */
  private begin({ action, prefix, address, link }: ForwardKey, weight: number): Ramp | undefined {
    const key = keyOf({ action, prefix, address, link });
    const former = this.ramps.get(key);
    if (former !== undefined) this.deadlines.remove(former);
    else if (this.ramps.size >= SLOW_STARTS_MAXIMUM) return undefined;
    const ramp = new Ramp(key, { action, prefix, address, link }, weight);
    this.ramps.set(key, ramp);
    this.beginning.push(ramp);
    return ramp;
  }

  private end(rule: RuleKey): void {
    const ramp = rule.action === 'forward' ? this.ramps.get(keyOf(rule)) : undefined;
    if (ramp === undefined) return;
    this.deadlines.remove(ramp);
    this.ramps.delete(ramp.key);
  }
}

function keyOf({ prefix, address, link }: ForwardKey): string {
  return `${prefix} ${address} ${link}`;
}
