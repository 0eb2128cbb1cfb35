import { describe, expect, it } from 'vitest';
import { ControlChannel } from '../../lib/sal/signaling/control-channel';
import type { Instant } from '../../lib/time/instant';
import { controlSequence } from '../../lib/wire/control-extension';

/** Times between `count` transmissions, the first at 0, each when it is due. */
function pauses(channel: ControlChannel, count: number): number[] {
  const result: number[] = [];
  channel.consume(0 as Instant);
  for (let now = 0; result.length < count; now = channel.deadline) {
    if (now > 0) channel.noteTransmission(now as Instant);
    result.push(channel.deadline - now);
  }
  return result;
}

describe('ControlChannel', () => {
  it('doubles the timeout with each transmission that nobody answers, up to a minute', () => {
    const doubled = [300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400, 60_000, 60_000];
    expect(pauses(new ControlChannel(1), 10)).toEqual(doubled);
  });

  it('does not double it for transmissions that were brought forward', () => {
    const channel = new ControlChannel(1);
    channel.consume(0 as Instant);
    for (let now = 100; now <= 600; now += 100) {
      channel.hasten(now as Instant);
      expect(channel.deadline).toBe(now);
      channel.noteTransmission(now as Instant);
    }
    expect(channel.deadline).toBe(900);
    channel.noteTransmission(900 as Instant);
    expect(channel.deadline).toBe(1500);
  });

  it('never puts a transmission off', () => {
    const channel = new ControlChannel(1);
    channel.consume(0 as Instant);
    channel.hasten(400 as Instant);
    expect(channel.deadline).toBe(300);
    channel.noteTransmission(300 as Instant);
    expect(channel.deadline).toBe(900);
  });

  it('takes no round trip from what was sent more than once (Karn)', () => {
    const channel = new ControlChannel(1);
    channel.consume(0 as Instant);
    channel.hasten(100 as Instant);
    channel.noteTransmission(100 as Instant);
    expect(channel.acknowledge(controlSequence(2), 150 as Instant)).toBe(true);
    expect(channel.measuredRoundTripTime).toBeUndefined();
    expect(channel.isOutstanding).toBe(false);
  });
});
