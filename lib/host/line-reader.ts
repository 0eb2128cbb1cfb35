// Cuts a byte stream into lines of bounded length. What the lines mean is left to the reader's owner.

export class LineReader {
  private rest: Buffer | undefined;

  constructor(private readonly maximum: number) {}

  /** The complete lines up to the end of `chunk`; `undefined` when one is longer than the maximum. */
  handleChunk(chunk: Buffer): string[] | undefined {
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    const lines: string[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      if (end - start > this.maximum) return undefined;
      lines.push(bytes.toString('utf8', start, end));
      start = end + 1;
    }
    if (bytes.length - start > this.maximum) return undefined;
    // A copy: a few bytes must not keep a whole chunk alive.
    this.rest = start === bytes.length ? undefined : Buffer.from(bytes.subarray(start));
    return lines;
  }
}

const NEWLINE = 0x0a;
