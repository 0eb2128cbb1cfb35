// The checksum of TCP and UDP behind a SAL header: the usual pseudo header (RFC 9293 3.1, RFC 8200 8.1) with
// the transport's own protocol number, 6 or 17, never 144, and the length without the SAL header. Only raw
// links need it: where Serval is encapsulated, the outer UDP checksum covers everything (RFC 768).

import { readUint16, writeUint16 } from './big-endian';
import { addToSum, addWordToSum, checksumOfSum } from './internet-checksum';
import type { NetworkAddress } from './network-address';
import { TransportProtocol } from './sal-header';
import { TCP_HEADER_BYTES, TcpField } from './tcp-header';
import { UDP_HEADER_BYTES, UdpField } from './udp-header';

/** Sets the checksum of a TCP or UDP packet. Anything else, and what is too short, is left as it is. */
export function sealTransportChecksum(
  bytes: Uint8Array,
  at: number,
  length: number,
  protocol: number,
  source: NetworkAddress,
  destination: NetworkAddress,
): void {
  const field = checksumField(protocol, length);
  if (field < 0) return;
  writeUint16(bytes, at + field, 0);
  const checksum = checksumOfSum(sum(bytes, at, length, protocol, source, destination));
  writeUint16(bytes, at + field, checksum === 0 && protocol === TransportProtocol.udp ? 0xffff : checksum);
}

/**
 * Whether the checksum is right. UDP may have none, over IPv6 too (RFC 6936): the original's SYN-ACK has 0.
 * True for other protocols: there is nothing to check.
 */
export function hasValidTransportChecksum(
  bytes: Uint8Array,
  at: number,
  length: number,
  protocol: number,
  source: NetworkAddress,
  destination: NetworkAddress,
): boolean {
  const field = checksumField(protocol, length);
  if (field < 0) return true;
  if (protocol === TransportProtocol.udp && readUint16(bytes, at + field) === 0) return true;
  return checksumOfSum(sum(bytes, at, length, protocol, source, destination)) === 0;
}

/** Where the checksum stands; -1 when there is none. */
function checksumField(protocol: number, length: number): number {
  if (protocol === TransportProtocol.tcp && length >= TCP_HEADER_BYTES) return TcpField.checksum;
  if (protocol === TransportProtocol.udp && length >= UDP_HEADER_BYTES) return UdpField.checksum;
  return -1;
}

function sum(
  bytes: Uint8Array,
  at: number,
  length: number,
  protocol: number,
  source: NetworkAddress,
  destination: NetworkAddress,
): number {
  let total = addWordToSum(protocol, length);
  total = addAddress(addAddress(total, source), destination);
  return addToSum(total, bytes, at, length);
}

/** The words beyond an IPv4 address are 0 and do not change a sum. */
function addAddress(sum: number, address: NetworkAddress): number {
  const high = addWordToSum(addWordToSum(sum, address.word0), address.word1);
  return addWordToSum(addWordToSum(high, address.word2), address.word3);
}
