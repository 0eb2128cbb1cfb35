// The migration that the original stack made (wire format §12), again with our stack in the place of each of its hosts:
// the client whose address changes in the middle of an echo, and the server that follows it.

import { beforeAll, describe, expect, it } from 'vitest';
import { Replay, type ReplayOptions } from './replay';

const OLD = '10.77.0.1';
const NEW = '10.77.1.1';
const SERVER = '10.77.0.2';

describe.each<[string, ReplayOptions, order: readonly string[]]>([
  [
    'the client, which moves',
    { capture: 'e-migrate', as: OLD, movesTo: NEW },
    ['syn', 'thirdAck', 'rsyn', 'ack', 'fin', 'ack'],
  ],
  ['the server, which follows', { capture: 'e-migrate', as: SERVER }, ['synAck', 'rsynAck', 'ack', 'fin']],
])('e-migrate, %s', (_name, options, order) => {
  let replay: Replay;
  beforeAll(() => {
    replay = new Replay(options).run();
  });

  it('signals as the captured host did, byte for byte', () => {
    expect(
      replay.capturedSignaling.some((packet) => packet.startsWith(options.movesTo === undefined ? NEW : SERVER)),
    ).toBe(true);
    expect(replay.signaling).toEqual(replay.capturedSignaling);
    expect(replay.kinds().filter((kind) => kind !== 'segment')).toEqual(order);
  });

  it('carries both streams across the move, and ends in good order', () => {
    expect(replay.sentStream().equals(replay.capturedStream('us'))).toBe(true);
    expect(replay.streams).toHaveLength(1);
    expect(replay.streams[0]!.received.equals(replay.capturedStream('peer'))).toBe(true);
    expect(replay.streams[0]!.told.at(-1)).toBe('closed');
    expect(replay.streams[0]!.told.filter((event) => event.startsWith('E'))).toEqual([]);
    expect(replay.host.stack.sal.flowTable.size).toBe(0);
  });

  it('sends nothing to or from the old address after the move', () => {
    const moved = replay.sent.findIndex(({ kind }) => kind === (options.movesTo === undefined ? 'rsynAck' : 'rsyn'));
    const answered = replay.sent.slice(moved + 1).filter(({ view }) => view.tcp !== undefined);
    expect(answered.length).toBeGreaterThan(8);
    for (const { view } of answered) expect([view.packet.source, view.packet.destination]).not.toContain(OLD);
  });
});
