// What one acceptable acknowledgment says, as every flow of the stream is told. One object serves all streams.

import type { TcpOptions } from '../../wire/tcp-options';
import type { SequenceSpace } from './sequence-space';

export interface Acknowledgment {
  /** Everything before this position has come. */
  to: number;
  /** Nothing behind this position has been sent. */
  sentTo: number;
  options: TcpOptions | undefined;
  /** It came without data, window change or advance. */
  duplicate: boolean;
  /** The stream has several flows: what one has delivered may be reported long before it is acknowledged in order. */
  isShared: boolean;
}

/** RFC 2883 4: the first SACK block repeats what is acknowledged, up to `to`, or lies within the second. */
export function isDuplicateBlock({ sackCount, sackEdges }: TcpOptions, space: SequenceSpace, to: number): boolean {
  const position = (edge: number): number => space.positionOf(sackEdges[edge]!, to);
  if (position(1) <= to) return true;
  return sackCount >= 2 && position(0) >= position(2) && position(1) <= position(3);
}
