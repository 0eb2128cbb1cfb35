// The order of events is that of `node:net`: each story runs over both and must be told the same way.

import { describe, expect, test } from 'vitest';
import { EventRecord } from './event-record';
import { type Network, overNet, overServal } from './network';
import { stories, tell } from './stories';

describe('the events of a connection come as with net', () => {
  for (const story of stories) {
    test(story.title, async () => {
      const expected = await tell(story, overNet);
      const actual = await tell(story, overServal);
      expect(actual).toEqual(expected);
      expect(actual.client.length).toBeGreaterThan(0);
    });
  }

  test('refused', async () => {
    const tellRefused = async (network: Network) => {
      const socket = network.refused();
      const record = new EventRecord(socket);
      await new Promise((resolve) => socket.on('close', resolve));
      return record.entries;
    };
    expect(await tellRefused(overServal)).toEqual(await tellRefused(overNet));
  });
});
