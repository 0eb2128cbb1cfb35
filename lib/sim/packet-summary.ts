// One line of what a packet says, for the trace: flags and numbers of the control extension, the service,
// the transport's flags, numbers and length.

import { ControlFlag } from '../wire/control-extension';
import { isWireError, parseSalPacket, type SalPacket } from '../wire/sal-packet';
import { parseTcpHeader, TcpFlag } from '../wire/tcp-header';
import type { SimulatedPacket } from './simulated-packet';

export function summarize({ bytes, damaged, report }: SimulatedPacket): string {
  if (report !== undefined) return `${report.kind} ${report.about}`;
  const packet = parseSalPacket(bytes, 0, bytes.length);
  const said = isWireError(packet) ? `${packet}: ${hexOf(bytes)}` : describe(packet, bytes);
  return damaged ? `damaged ${said}` : said;
}

function describe(packet: SalPacket, bytes: Uint8Array): string {
  const parts = [`${hex(packet.sourceFlowID)}>${hex(packet.destinationFlowID)}`];
  const { control, destinationService, sourceService, source } = packet;
  if (control !== undefined) {
    parts.push(`${namesOf(ControlFlag, control.flags)} ${hex(control.controlSequence)}/${hex(control.controlAck)}`);
  }
  if (destinationService !== undefined) parts.push(`to ${String(destinationService).slice(0, 8)}`);
  if (sourceService !== undefined) parts.push(`from ${String(sourceService).slice(0, 8)}`);
  if (source !== undefined) parts.push(`via ${source.join(' ')}`);
  if (packet.addresses !== undefined) parts.push('addresses');
  parts.push(describeTransport(packet, bytes));
  return parts.join(' ');
}

function describeTransport(packet: SalPacket, bytes: Uint8Array): string {
  const { transportOffset, transportLength } = packet;
  if (packet.protocol !== 6 || transportLength === 0) return `protocol ${packet.protocol}, ${transportLength} bytes`;
  const tcp = parseTcpHeader(bytes, transportOffset, transportLength);
  if (isWireError(tcp)) return tcp;
  const { sequence, acknowledgment, window, payloadLength } = tcp;
  return `tcp ${namesOf(TcpFlag, tcp.flags)} seq ${sequence}+${payloadLength} ack ${acknowledgment} win ${window}`;
}

function namesOf(flags: Readonly<Record<string, number>>, set: number): string {
  const names = Object.keys(flags).filter((name) => (set & flags[name]!) !== 0);
  return names.length === 0 ? '-' : names.join('|');
}

function hex(value: number): string {
  return (value >>> 0).toString(16);
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 32), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
