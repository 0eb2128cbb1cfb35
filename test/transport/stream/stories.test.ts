import { describe, expect, it } from 'vitest';
import { STREAM_REST_DELAY } from '../../../lib/limits';
import { type Duration, type Instant, NEVER } from '../../../lib/time/instant';
import { SeededRandom } from '../../../lib/time/seeded-random';
import { NewReno } from '../../../lib/transport/stream/congestion/new-reno';
import type { StreamOptions } from '../../../lib/transport/stream/stream-transport';
import { type Direction, ETHERNET, Pipe, type PipeEnd } from '../pipe';

/** What chance makes of a path, of two ends, and of what they do. */
class Story {
  readonly pipe: Pipe;
  readonly ends: readonly [PipeEnd, PipeEnd];
  readonly goals: [number, number] = [0, 0];
  private readonly random: SeededRandom;

  constructor(seed: number) {
    this.random = SeededRandom.of(seed);
    this.pipe = new Pipe({
      seed,
      forth: this.direction(),
      back: this.direction(),
      a: this.options(),
      b: this.options(),
      initialSequences: [0xffff_ffff - Math.floor(this.up(100_000)), Math.floor(this.up(2 ** 32))],
    });
    this.ends = [this.pipe.a, this.pipe.b];
    if (this.up(1) < 0.5) for (const end of this.ends) end.do((transport) => transport.setNoDelay(true));
    const keepAlive = 5000 as Duration;
    if (this.up(1) < 0.3) for (const end of this.ends) end.do((t, now) => t.setKeepAlive(true, keepAlive, now));
  }

  play(): void {
    for (let step = 0; step < 60; step++) this.act(this.up(1) < 0.7 ? 0 : 1);
    for (const end of this.ends) end.startReading();
    for (const end of this.ends) end.send(0, true);
  }

  private act(side: 0 | 1): void {
    const { pipe, ends } = this;
    const chance = this.up(1);
    if (chance < 0.4) {
      const bytes = Math.floor(this.up(1) < 0.7 ? this.up(300) : this.up(60_000));
      this.goals[side] += bytes;
      ends[side].send(bytes);
    } else if (chance < 0.5) ends[side].isReading = false;
    else if (chance < 0.6) ends[side].startReading();
    else if (chance < 0.65) this.migrate();
    else if (chance < 0.7) this.interrupt();
    else if (chance < 0.73) pipe.forth.mtu = 700 + this.up(800);
    else if (chance < 0.76) pipe.run(STREAM_REST_DELAY + this.up(5000));
    else pipe.run(this.up(200));
  }

  private migrate(): void {
    const size = this.up(1) < 0.5 ? ETHERNET : { base: 1160, maximum: 1260 + Math.floor(this.up(300)) };
    const delay = this.up(60);
    Object.assign(this.pipe.forth, { delay });
    Object.assign(this.pipe.back, { delay });
    for (const end of this.ends) end.do((transport, now) => transport.pathChanged(end.flow, size, now));
  }

  private interrupt(): void {
    const { forth, back } = this.pipe;
    const which = Math.floor(this.up(3)) + 1;
    if ((which & 1) !== 0) forth.drop = () => true;
    if ((which & 2) !== 0) back.drop = () => true;
    this.pipe.run(this.up(3000));
    delete forth.drop;
    delete back.drop;
  }

  private direction(): Direction {
    const rated = this.up(1) < 0.7;
    return {
      delay: 0.05 + this.up(40),
      ...(rated ? { rate: 1 + this.up(100), queue: 5000 + this.up(200_000) } : {}),
      loss: this.up(1) < 0.3 ? 0 : this.up(1) * this.up(0.2),
      duplication: this.up(1) < 0.5 ? 0 : this.up(0.1),
      reordering: this.up(1) < 0.5 ? 0 : this.up(0.3),
      reorderDelay: this.up(50),
    };
  }

  private options(): StreamOptions {
    const small = { sendBuffer: 4096 + this.up(100_000), receiveBuffer: 4096 + this.up(100_000) };
    return {
      ...(this.up(1) < 0.3 ? small : {}),
      ...(this.up(1) < 0.3 ? { congestion: (segmentSize: number) => new NewReno(segmentSize) } : {}),
    };
  }

  private up(bound: number): number {
    return this.random.fraction() * bound;
  }
}

describe('a story of writes, pauses, interruptions and changed paths', () => {
  const wanted = process.env['SERVAL_SEED'];
  const seeds = wanted === undefined ? Array.from({ length: 40 }, (_, index) => index + 1) : [Number(wanted)];

  it.each(seeds)('ends with every byte where it belongs, seed %i (SERVAL_SEED replays it)', (seed) => {
    const story = new Story(seed);
    story.play();
    const [a, b] = story.ends;
    const done = story.pipe.runUntil(
      () => story.ends.every((end) => end.transport.finAcknowledged && end.endedAt !== undefined),
      600_000,
    );
    expect({ done, read: [b.bytesRead, a.bytesRead], wrong: [b.bytesWrong, a.bytesWrong] }).toEqual({
      done: true,
      read: story.goals,
      wrong: [0, 0],
    });
    // Nothing is left to do, and nothing is held.
    story.pipe.run(100);
    for (const end of story.ends) {
      expect(end.transport.bufferedBytes + end.transport.readableBytes).toBe(0);
      expect(end.subflow.scoreboard.isEmpty).toBe(true);
      expect(end.subflow.nextDeadline()).toBe(NEVER as Instant);
      end.transport.release();
    }
    expect(a.subflow.scoreboard.pool.used).toBe(0);
  });
});
