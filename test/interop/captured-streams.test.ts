// Streams that the original stack had, again with our stack in the place of one of its hosts. Unless said
// otherwise our control packets are the captured ones byte for byte, but for our random numbers.

import { beforeAll, describe, expect, it } from 'vitest';
import { Replay, type ReplayOptions } from './replay';

const CLIENT = '10.77.0.1';
const SERVER = '10.77.0.2';

describe.each<[string, ReplayOptions]>([
  ['a-tcp, client: connect, 20 kB, close', { capture: 'a-tcp', as: CLIENT }],
  ['a-tcp, server', { capture: 'a-tcp', as: SERVER }],
  // Its RSYN is not answered yet: the flow is replayed up to there.
  ['e-migrate, client: an echo', { capture: 'e-migrate', as: CLIENT, to: 25 }],
  ['e-migrate, server', { capture: 'e-migrate', as: SERVER, to: 25 }],
  ['j-rexmit, client: an echo', { capture: 'j-rexmit', as: CLIENT, to: 13 }],
  ['k-two-instances, first server', { capture: 'k-two-instances', as: SERVER }],
  ['i-twohop, server behind two routers', { capture: 'i-twohop', as: SERVER, to: 22 }],
])('%s', (_name, options) => {
  let replay: Replay;
  beforeAll(() => {
    replay = new Replay(options).run();
  });

  it('signals as the captured host did', () => {
    expect(replay.signaling).toEqual(replay.capturedSignaling);
  });
  it('carries both streams', () => {
    expect(replay.sentStream().equals(replay.capturedStream('us'))).toBe(true);
    expect(replay.streams).toHaveLength(1);
    expect(replay.streams[0]!.received.equals(replay.capturedStream('peer'))).toBe(true);
  });
});
