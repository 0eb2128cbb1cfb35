// Bytes as text for codec tests: hexadecimal with spaces where a reader wants them.

export function hexBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}

export function bytesHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** What `write` writes: as many bytes as it returns, whatever was there before, and none beside them. */
export function written(write: (bytes: Uint8Array, at: number) => number): string {
  const bytes = new Uint8Array(1100).fill(0xaa);
  const length = write(bytes, 4);
  for (let at = 0; at < bytes.length; at++) {
    if ((at < 4 || at >= 4 + length) && bytes[at] !== 0xaa) throw new Error(`byte ${at - 4} was written`);
  }
  return bytesHex(bytes.subarray(4, 4 + length));
}
