import { describe, expect, it } from 'vitest';
import { LineReader } from '../../../lib/controller/session/line-reader';

describe('LineReader', () => {
  it('finds the same lines wherever the stream is cut', () => {
    const stream = Buffer.from('one\n\ntwo \u00e9\nthree\n');
    for (let cut = 0; cut <= stream.length; cut++) {
      const reader = new LineReader(20);
      const lines = [stream.subarray(0, cut), stream.subarray(cut)].flatMap((chunk) => reader.handleChunk(chunk)!);
      expect(lines).toEqual(['one', '', 'two \u00e9', 'three']);
    }
  });

  it('keeps what has no end yet', () => {
    const reader = new LineReader(20);
    for (const byte of Buffer.from('slowly')) expect(reader.handleChunk(Buffer.from([byte]))).toEqual([]);
    expect(reader.handleChunk(Buffer.from('\nnext'))).toEqual(['slowly']);
  });

  it('refuses a line that is too long, ended or not', () => {
    expect(new LineReader(4).handleChunk(Buffer.from('1234\n'))).toEqual(['1234']);
    expect(new LineReader(4).handleChunk(Buffer.from('12345\n'))).toBeUndefined();
    expect(new LineReader(4).handleChunk(Buffer.from('12345'))).toBeUndefined();
    const reader = new LineReader(4);
    expect(reader.handleChunk(Buffer.from('a\n123'))).toEqual(['a']);
    expect(reader.handleChunk(Buffer.from('45'))).toBeUndefined();
  });
});
