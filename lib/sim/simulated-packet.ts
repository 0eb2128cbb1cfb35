// One IP packet on the simulated network. Its bytes never change once it was sent: an element that damages
// a packet puts another in its place, so that a duplicate and the trace keep what they saw.

import type { NetworkAddress } from '../wire/network-address';

export interface SimulatedPacket {
  /** Number of the packet in its world, for the trace; duplicates share it. */
  readonly serial: number;
  /** Name of the host that sent it, or of the segment for a report of the network's own. */
  readonly from: string;
  readonly source: NetworkAddress;
  readonly destination: NetworkAddress;
  /** Whether the packet travels in UDP, whose checksum makes the receiver drop it when it is damaged. */
  readonly encapsulated: boolean;
  /** The SAL packet, without IP and UDP headers. */
  readonly bytes: Uint8Array;
  readonly damaged: boolean;
  /** The network's word to a sender, as ICMP is; `bytes` is empty then. */
  readonly report?: NetworkReport;
}

export type NetworkReport =
  /** A packet to `about` was larger than the path: `mtu` is the IP packet that would fit, in bytes. */
  | { readonly kind: 'packetTooBig'; readonly about: NetworkAddress; readonly mtu: number }
  /** Nobody has the port of `about`. */
  | { readonly kind: 'unreachable'; readonly about: NetworkAddress };

/** The packet that carries `report` about `packet` back to its sender. */
export function reportOn(packet: SimulatedPacket, from: string, report: NetworkReport): SimulatedPacket {
  const { serial, source, destination, encapsulated } = packet;
  return {
    serial,
    from,
    source: destination,
    destination: source,
    encapsulated,
    bytes: NOTHING,
    damaged: false,
    report,
  };
}

/** Bytes of the IP packet. */
export function ipLength(packet: SimulatedPacket): number {
  if (packet.report !== undefined) return REPORT_LENGTH;
  const ipHeader = packet.destination.family === 6 ? 40 : 20;
  return ipHeader + (packet.encapsulated ? 8 : 0) + packet.bytes.length;
}

/** ICMP with the header of the packet that it is about. */
const REPORT_LENGTH = 56;

const NOTHING = new Uint8Array(0);
