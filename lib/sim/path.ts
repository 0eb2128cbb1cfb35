// What packets meet between two hosts, each direction on its own.

import type { NetworkElement } from './network-element';

export interface Path {
  /** From the first host to the second, in order. */
  readonly forward: readonly NetworkElement[];
  readonly backward: readonly NetworkElement[];
}

/** The same elements both ways; each direction has its own state and chance. */
export function path(...elements: readonly NetworkElement[]): Path {
  return { forward: elements, backward: elements };
}
