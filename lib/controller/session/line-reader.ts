// Cuts a byte stream into lines of bounded length. What the lines mean is left to the reader's owner.

export class LineReader {
  private rest: Uint8Array | undefined;

  constructor(private readonly maximum: number) {}

  /** The complete lines up to the end of `chunk`; `undefined` when one is longer than the maximum. */
  handleChunk(chunk: Uint8Array): string[] | undefined {
    const bytes = this.rest === undefined ? chunk : joined(this.rest, chunk);
    const lines: string[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      if (end - start > this.maximum) return undefined;
      lines.push(DECODER.decode(bytes.subarray(start, end)));
      start = end + 1;
    }
    if (bytes.length - start > this.maximum) return undefined;
    // A copy: a few bytes must not keep a whole chunk alive.
    this.rest = start === bytes.length ? undefined : Uint8Array.from(bytes.subarray(start));
    return lines;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

const NEWLINE = 0x0a;
/** What is no UTF-8 becomes U+FFFD, which no message has. */
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });
