import { once } from 'node:events';
import { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { handOn } from '../../lib/socket/hand-on';

const chunk = (text: string): Buffer => Buffer.from(text);

/** A stream that somebody listens to, and its first chunk has come. */
function flowing(): { readonly stream: Readable; readonly heard: string[]; readonly read: () => void } {
  const read = vi.fn();
  const stream = new Readable({ read });
  const heard: string[] = [];
  stream.on('data', (each: Buffer) => heard.push(each.toString()));
  return { stream, heard, read };
}

async function begun(): Promise<ReturnType<typeof flowing>> {
  const stage = flowing();
  stage.stream.push('first');
  await vi.waitFor(() => expect(stage.heard).toEqual(['first']));
  return stage;
}

describe('handOn', () => {
  it('gives a chunk to who listens, at once and without asking for more', async () => {
    const { stream, heard, read } = await begun();
    await new Promise(setImmediate);
    const asked = vi.mocked(read).mock.calls.length;
    expect(handOn(stream, chunk('second'))).toBe(true);
    expect(heard).toEqual(['first', 'second']);
    await new Promise(setImmediate);
    expect(read).toHaveBeenCalledTimes(asked);
  });

  it('leaves the first chunk to push, which notes that something was read', () => {
    const { stream, heard } = flowing();
    stream.resume();
    expect(handOn(stream, chunk('first'))).toBe(false);
    expect(heard).toEqual([]);
  });

  it('overtakes nothing that waits', async () => {
    const { stream, heard } = await begun();
    stream.pause();
    expect(handOn(stream, chunk('second'))).toBe(false);
    stream.push('second');
    stream.resume();
    expect(handOn(stream, chunk('third'))).toBe(false);
    stream.push('third');
    await vi.waitFor(() => expect(heard).toEqual(['first', 'second', 'third']));
  });

  it('leaves it to push where text is wanted, and where nobody listens', async () => {
    const { stream } = await begun();
    stream.setEncoding('utf8');
    expect(handOn(stream, chunk('second'))).toBe(false);
    const deaf = (await begun()).stream;
    deaf.removeAllListeners('data');
    expect(handOn(deaf, chunk('second'))).toBe(false);
  });

  it('leaves it to push for who reads by hand', async () => {
    const stream = new Readable({ read: () => {} });
    stream.push('first');
    await once(stream, 'readable');
    stream.read();
    expect(handOn(stream, chunk('second'))).toBe(false);
  });
});
