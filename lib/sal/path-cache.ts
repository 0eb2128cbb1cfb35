// Paths made lately, so that the flows between two addresses share one: to a server that is most of its flows, and
// two addresses take more memory than the flow.

import type { NetworkAddress } from '../wire/network-address';
import { Path } from './path';

/** One path for each place: another one takes it over. A power of two. */
const PLACES = 256;

export class PathCache {
  private readonly places: (Path | undefined)[] = new Array(PLACES).fill(undefined);

  of(link: number, local: NetworkAddress | undefined, remote: NetworkAddress): Path {
    const place = placeOf(remote);
    const known = this.places[place];
    if (known !== undefined && isSame(known, link, local, remote)) return known;
    const path = new Path(link, local, remote);
    this.places[place] = path;
    return path;
  }
}

function isSame(path: Path, link: number, local: NetworkAddress | undefined, remote: NetworkAddress): boolean {
  if (path.link !== link || !path.remote.equals(remote)) return false;
  return local === undefined ? path.local === undefined : path.local?.equals(local) === true;
}

/** An attacker who has all flows meet in one place gains nothing: they are not shared then. */
function placeOf({ port, word0, word1, word2, word3 }: NetworkAddress): number {
  const mixed = Math.imul(word0 ^ word1 ^ word2 ^ word3 ^ port, 0x9e3779b1);
  return mixed >>> 24;
}
