// What a stream handle tells its observer, and in which order (lib/driver/handles.ts), between two simulated hosts.

import { describe, expect, it } from 'vitest';
import type { StreamHandle, StreamObserver } from '../../lib/driver/handles';
import { Delay } from '../../lib/sim/elements/delay';
import { path } from '../../lib/sim/path';
import { World } from '../../lib/sim/world';
import { milliseconds, seconds } from '../../lib/time/instant';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

/** Writes down what it is told: `data 5` for five bytes. */
class Recorder implements StreamObserver {
  readonly told: string[] = [];
  handle!: StreamHandle;
  onConnected = (): void => {};

  connected(): void {
    this.told.push('connected');
    this.onConnected();
  }

  data(chunk: Buffer): void {
    this.told.push(`data ${chunk.length}`);
  }

  ended(): void {
    this.told.push('ended');
  }

  writable(): void {
    this.told.push('writable');
  }

  finished(): void {
    this.told.push('finished');
  }

  failed(error: { readonly code: string }): void {
    this.told.push(`failed ${error.code}`);
  }

  closed(): void {
    this.told.push('closed');
  }
}

const service = ServiceID.fromHex('1'.repeat(64))!;

/** A connection over a path of 10 ms each way: both handles, and who is told of what. Nobody reads yet. */
function connection() {
  const world = new World({ seed: 1 });
  const [client, server] = [world.host('client'), world.host('server')];
  world.connect(client, server, path(new Delay(milliseconds(10))));
  const [near, far] = [new Recorder(), new Recorder()];
  const listener = server.listen(
    ServicePrefix.of(service),
    {},
    {
      connection(handle) {
        far.handle = handle;
        handle.setObserver(far);
      },
    },
  );
  near.handle = client.connect(service, {}, near);
  world.run({ until: () => near.told.length > 0 && far.handle !== undefined });
  listener.close();
  return { world, near, far, client, server };
}

const hello = Buffer.from('hello');

describe('a stream handle', () => {
  it('tells a reader that has stopped of the end, but not before it has read what came before', () => {
    const { world, near, far } = connection();
    far.handle.write(hello);
    far.handle.shutdown();
    near.handle.shutdown();
    world.run({ for: seconds(60) });
    // Both ends have finished, and TIME-WAIT is over: the bytes are still there, and so is the handle.
    expect(near.told).toEqual(['connected', 'finished']);
    near.handle.startReading();
    world.run();
    expect(near.told).toEqual(['connected', 'finished', 'data 5', 'ended', 'closed']);
    expect(far.told.slice(-3).sort()).toEqual(['closed', 'ended', 'finished']);
  });

  it('tells of the end without reading when nothing came before it', () => {
    const { world, near, far } = connection();
    far.handle.shutdown();
    near.handle.shutdown();
    world.run();
    for (const { told } of [near, far]) {
      expect(told).toEqual([...told.filter((one) => one !== 'closed'), 'closed']);
      expect(told.filter((one) => one !== 'connected').sort()).toEqual(['closed', 'ended', 'finished']);
    }
  });

  it('stops in the middle, and goes on where it stopped', () => {
    const { world, near, far } = connection();
    near.handle.startReading();
    far.handle.write(hello);
    world.run({ until: () => near.told.includes('data 5') });
    near.handle.stopReading();
    far.handle.write(Buffer.from('more'));
    far.handle.shutdown();
    world.run({ for: seconds(5) });
    expect(near.told).toEqual(['connected', 'data 5']);
    near.handle.startReading();
    near.handle.shutdown();
    world.run();
    expect(near.told).toEqual(['connected', 'data 5', 'data 4', 'ended', 'finished', 'closed']);
  });

  it('still says after close() how it ended: finished, then closed', () => {
    const { world, near, far } = connection();
    far.handle.startReading();
    near.handle.write(hello);
    near.handle.shutdown();
    near.handle.close();
    world.run({ until: () => far.told.includes('ended') });
    expect(far.told.slice(-2)).toEqual(['data 5', 'ended']);
    far.handle.shutdown();
    world.run();
    expect(near.told.filter((one) => one !== 'ended')).toEqual(['connected', 'finished', 'closed']);
  });

  it('says after close() that the connection failed', () => {
    const { world, near, far } = connection();
    near.handle.write(hello);
    near.handle.shutdown();
    near.handle.close();
    far.handle.reset();
    world.run();
    expect(near.told).toEqual(['connected', 'failed ECONNRESET', 'closed']);
    expect(far.told.at(-1)).toBe('closed');
  });

  it('says after close() that nobody is there any more', () => {
    const { world, near, server } = connection();
    near.handle.write(hello);
    near.handle.shutdown();
    near.handle.close();
    server.crash();
    world.run();
    expect(near.told.at(-2)).toMatch(/^failed (ETIMEDOUT|ECONNRESET)$/);
    expect(near.told.at(-1)).toBe('closed');
  });

  it('closes once, whatever is called, and in whatever order', () => {
    const { world, near, far } = connection();
    near.handle.close();
    near.handle.reset();
    near.handle.shutdown();
    near.handle.close();
    near.handle.startReading();
    near.handle.write(hello);
    world.run();
    far.handle.close();
    world.run();
    expect(near.told.filter((one) => one === 'closed')).toHaveLength(1);
    expect(far.told.filter((one) => one === 'closed')).toHaveLength(1);
  });
});
