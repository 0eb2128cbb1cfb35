// The files of the HTTP test: sizes and contents follow from the number alone, so both ends know them.

const { createHash } = require('node:crypto');

const COUNT = 200;
const LARGEST = 50_000_000;

/** From 1 byte to `largest`, evenly on a logarithmic scale up to 1 MB; the last few are large. */
function sizeOf(index, largest = LARGEST) {
  if (index === 0) return 1;
  if (index === COUNT - 1) return largest;
  if (index >= COUNT - 4) return Math.floor(largest / 10);
  return Math.floor(1_000_000 ** (index / (COUNT - 4)));
}

/** Pseudo-random bytes, xorshift seeded by the file's number. */
function contentOf(index, largest) {
  const bytes = Buffer.alloc(sizeOf(index, largest));
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  let state = (index + 1) * 2_654_435_761;
  for (let word = 0; word < words.length; word++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[word] = state;
  }
  for (let at = words.length * 4; at < bytes.length; at++) bytes[at] = index + at;
  return bytes;
}

function digestOf(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

module.exports = { COUNT, sizeOf, contentOf, digestOf };
