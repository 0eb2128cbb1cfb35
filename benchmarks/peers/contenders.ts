// Who takes part. The names are the packages'.

import { hyperdhtPeer } from './hyperdht';
import { libp2pQuic, libp2pTcp } from './libp2p';
import { matrixaiQuic } from './matrixai-quic';
import type { Peer } from './peer';
import { servalPeer } from './serval';
import { udxPeer } from './udx';

export const contenders = {
  serval: servalPeer,
  'udx-native': udxPeer,
  hyperdht: hyperdhtPeer,
  'libp2p-tcp': libp2pTcp,
  'libp2p-quic': libp2pQuic,
  '@matrixai/quic': matrixaiQuic,
} as const satisfies Readonly<Record<string, Peer>>;

export type ContenderName = keyof typeof contenders;
export type RivalName = Exclude<ContenderName, 'serval'>;

export const RIVAL_NAMES = Object.keys(contenders).filter((name): name is RivalName => name !== 'serval');

/** Loaded and ready. */
export async function contenderOf(name: ContenderName): Promise<Peer> {
  const peer: Peer = contenders[name];
  await peer.prepare?.();
  return peer;
}
