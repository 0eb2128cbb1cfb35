// What connected datagrams add to the handshake: an empty UDP header, as the original does (wire format §4).

import { isWireError } from '../../wire/sal-packet';
import { parseUdpHeader, writeUdpHeader } from '../../wire/udp-header';

export class DatagramHandshake {
  writeSyn(bytes: Uint8Array, at: number): number {
    return writeUdpHeader(bytes, at, 0);
  }

  writeSynAck(bytes: Uint8Array, at: number): number {
    return writeUdpHeader(bytes, at, 0);
  }

  writeAck(bytes: Uint8Array, at: number): number {
    return writeUdpHeader(bytes, at, 0);
  }

  handleSyn(bytes: Uint8Array, offset: number, length: number): boolean {
    return isUdpHeader(bytes, offset, length);
  }

  handleSynAck(bytes: Uint8Array, offset: number, length: number): boolean {
    return isUdpHeader(bytes, offset, length);
  }

  handleAck(bytes: Uint8Array, offset: number, length: number): boolean {
    return isUdpHeader(bytes, offset, length);
  }
}

function isUdpHeader(bytes: Uint8Array, offset: number, length: number): boolean {
  return !isWireError(parseUdpHeader(bytes, offset, length));
}
