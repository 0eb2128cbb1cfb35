// The same stories over the real stack and UDP on loopback: what the socket layer promises holds on it as well.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHost, type Host } from '../../lib/host/host';
import { type Network, overHost, overNet } from './network';
import { stories, tell } from './stories';

describe('the events of a connection come as with net, over UDP', () => {
  let host: Host;
  let overUdp: Network;
  beforeAll(() => {
    host = createHost({ port: 40123, registry: false, links: ['udp-dgram'], broadcast: false, native: false });
    overUdp = overHost('udp', () => host);
  });
  afterAll(() => host.close());

  test.each(stories.map((story) => [story.title, story] as const))('%s', async (_title, story) => {
    const expected = await tell(story, overNet);
    expect(await tell(story, overUdp)).toEqual(expected);
  });
});
