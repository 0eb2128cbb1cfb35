// A way from one of our addresses to one of the peer's, which a further flow of a connection may take (§4.4).

import type { NetworkAddress } from '../wire/network-address';

export interface Way {
  readonly local: NetworkAddress;
  readonly remote: NetworkAddress;
}

/** All there are between the two lists: in the order of the first, then of the second. */
export function waysBetween(locals: readonly NetworkAddress[], remotes: readonly NetworkAddress[]): Way[] {
  return locals.flatMap((local) =>
    remotes.filter(({ family }) => family === local.family).map((remote) => ({ local, remote })),
  );
}

export function isSameWay(one: Way, other: Way): boolean {
  return one.local.sameIp(other.local) && one.remote.equals(other.remote);
}

export function nameOf({ local, remote }: Way): string {
  return `${local.ip} ${remote}`;
}

/** How much of the two addresses is alike, in words of 32 bits from the front: on one subnet more than elsewhere. */
export function sharedWords({ local, remote }: Way): number {
  const words = ['word0', 'word1', 'word2', 'word3'] as const;
  const different = words.findIndex((word) => local[word] !== remote[word]);
  return different < 0 ? words.length : different;
}
