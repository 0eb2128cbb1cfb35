// The one door for untrusted bytes: base header and extensions in, a valid `SalPacket` or the reason of the
// refusal out. Behind it nobody checks lengths of the SAL header again. The transport part stays bytes.

import { EXTENSIONS_MAXIMUM } from '../limits';
import {
  ADDRESS_EXTENSION_TYPE,
  type AddressExtension,
  addressExtensionBytes,
  parseAddressExtension,
  writeAddressExtension,
} from './address-extension';
import {
  CONTROL_EXTENSION_BYTES,
  CONTROL_EXTENSION_TYPE,
  type ControlExtension,
  parseControlExtension,
  writeControlExtension,
} from './control-extension';
import {
  ENDPOINT_ADDRESS_EXTENSION_TYPE,
  endpointAddressExtensionBytes,
  parseEndpointAddressExtension,
  writeEndpointAddressExtension,
} from './endpoint-address-extension';
import {
  ENDPOINT_SOURCE_EXTENSION_TYPE,
  endpointSourceExtensionBytes,
  parseEndpointSourceExtension,
  readEndpointSourceFlags,
  writeEndpointSourceExtension,
} from './endpoint-source-extension';
import type { FlowID, FlowNonce } from './flow-id';
import type { NetworkAddress } from './network-address';
import {
  parseRendezvousExtension,
  RENDEZVOUS_EXTENSION_BYTES,
  RENDEZVOUS_EXTENSION_TYPE,
  writeRendezvousExtension,
} from './rendezvous-extension';
import { parseSalHeader, SAL_HEADER_BYTES, sealSalHeader, writeSalHeader } from './sal-header';
import {
  parseServiceExtension,
  SERVICE_EXTENSION_BYTES,
  SERVICE_EXTENSION_TYPE,
  writeServiceExtension,
} from './service-extension';
import type { ServiceID } from './service-id';
import {
  parseSourceExtension,
  SOURCE_EXTENSION_TYPE,
  sourceExtensionBytes,
  writeSourceExtension,
} from './source-extension';
import { isWireError, type WireError } from './wire-error';

export { isWireError, type WireError } from './wire-error';

/** Which extension a source list stood in: the original's, or ours with ports and IPv6. */
export type SourceKind = 'source' | 'endpointSource';

/** Which extension the further addresses of a peer stand in. */
export type AddressesKind = 'address' | 'endpointAddress';

/** What a SAL header says. A `SalPacket` is one, so that a forwarder can write what it read with changes. */
export interface SalPacketHeader {
  readonly sourceFlowID: FlowID;
  readonly destinationFlowID: FlowID;
  readonly protocol: number;
  readonly control?: ControlExtension | undefined;
  /** The first SERVICE extension. */
  readonly destinationService?: ServiceID | undefined;
  /** The second SERVICE extension: unconnected datagrams only. */
  readonly sourceService?: ServiceID | undefined;
  readonly addresses?: AddressExtension | undefined;
  /** Default when writing: 'endpointAddress' when an address has a port or is IPv6, 'address' otherwise. */
  readonly addressesKind?: AddressesKind | undefined;
  /** The client and the routers passed, in order: 2 to 20, in ENDPOINT_SOURCE 1 to 20. */
  readonly source?: readonly NetworkAddress[] | undefined;
  /** Default when writing: 'endpointSource' when an address has a port or is IPv6, 'source' otherwise. */
  readonly sourceKind?: SourceKind | undefined;
  /** Of an 'endpointSource' list: a sum of `EndpointSourceFlag`. */
  readonly sourceFlags?: number | undefined;
  /** RENDEZVOUS: the nonce of the flow's other end. */
  readonly peerNonce?: FlowNonce | undefined;
}

export interface SalPacket extends SalPacketHeader {
  readonly headerLength: number;
  readonly transportOffset: number;
  readonly transportLength: number;
}

/** Reads the SAL packet in `length` bytes from `offset` on. Never throws, whatever the bytes are. */
export function parseSalPacket(bytes: Uint8Array, offset: number, length: number): SalPacket | WireError {
  const header = parseSalHeader(bytes, offset, length);
  if (isWireError(header)) return header;
  const draft: Draft = {
    sourceFlowID: header.sourceFlowID,
    destinationFlowID: header.destinationFlowID,
    protocol: header.protocol,
    control: undefined,
    destinationService: undefined,
    sourceService: undefined,
    addresses: undefined,
    addressesKind: undefined,
    source: undefined,
    sourceKind: undefined,
    sourceFlags: undefined,
    peerNonce: undefined,
    headerLength: header.headerLength,
    transportOffset: offset + header.headerLength,
    transportLength: length - header.headerLength,
  };
  const error = parseExtensions(bytes, offset + SAL_HEADER_BYTES, draft.transportOffset, draft);
  return error ?? draft;
}

/** Size of what `writeSalPacketHeader` will write; 12 to 368 bytes, and an ADDRESS extension. */
export function salPacketHeaderBytes(header: SalPacketHeader): number {
  let length = SAL_HEADER_BYTES;
  if (header.control !== undefined) length += CONTROL_EXTENSION_BYTES;
  if (header.destinationService !== undefined) length += SERVICE_EXTENSION_BYTES;
  if (header.sourceService !== undefined) length += SERVICE_EXTENSION_BYTES;
  if (header.addresses !== undefined) length += addressesBytes(header.addresses, addressesKindOf(header));
  if (header.source !== undefined) length += sourceBytes(header.source, sourceKindOf(header));
  if (header.peerNonce !== undefined) length += RENDEZVOUS_EXTENSION_BYTES;
  return length;
}

/**
 * Writes header and extensions in the original's order - CONTROL, SERVICE (destination, source), ADDRESS,
 * SOURCE - and RENDEZVOUS behind them, seals them and returns their length. The bytes must be there.
 */
export function writeSalPacketHeader(bytes: Uint8Array, at: number, header: SalPacketHeader): number {
  if (header.sourceService !== undefined && header.destinationService === undefined) {
    throw new TypeError('a source service stands behind a destination service only');
  }
  const headerLength = salPacketHeaderBytes(header);
  const { sourceFlowID, destinationFlowID, protocol } = header;
  let end = at + writeSalHeader(bytes, at, { sourceFlowID, destinationFlowID, protocol, headerLength });
  if (header.control !== undefined) end += writeControlExtension(bytes, end, header.control);
  if (header.destinationService !== undefined) end += writeServiceExtension(bytes, end, header.destinationService);
  if (header.sourceService !== undefined) end += writeServiceExtension(bytes, end, header.sourceService);
  if (header.addresses !== undefined) end += writeAddresses(bytes, end, header.addresses, addressesKindOf(header));
  if (header.source !== undefined) end += writeSource(bytes, end, header.source, header);
  if (header.peerNonce !== undefined) writeRendezvousExtension(bytes, end, header.peerNonce);
  sealSalHeader(bytes, at);
  return headerLength;
}

type Draft = { -readonly [Key in keyof SalPacket]: SalPacket[Key] };

const PAD_TYPE = 0;

/** The extensions must fill the header exactly; their order does not matter. */
function parseExtensions(bytes: Uint8Array, start: number, end: number, draft: Draft): WireError | undefined {
  let at = start;
  for (let count = 0; at < end; count++) {
    if (count === EXTENSIONS_MAXIMUM) return 'tooManyExtensions';
    const type = bytes[at]! >>> 4;
    if (type === PAD_TYPE) {
      at += 1;
      continue;
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0;
    if (length < 2 || at + length > end) return 'extensionLength';
    const error = parseExtension(type, bytes, at, length, draft);
    if (error !== undefined) return error;
    at += length;
  }
  return undefined;
}

function parseExtension(
  type: number,
  bytes: Uint8Array,
  at: number,
  length: number,
  draft: Draft,
): WireError | undefined {
  switch (type) {
    case CONTROL_EXTENSION_TYPE:
      return acceptControl(draft, parseControlExtension(bytes, at, length));
    case SERVICE_EXTENSION_TYPE:
      return acceptService(draft, parseServiceExtension(bytes, at, length));
    case ADDRESS_EXTENSION_TYPE:
      return acceptAddresses(draft, 'address', parseAddressExtension(bytes, at, length));
    case ENDPOINT_ADDRESS_EXTENSION_TYPE:
      return acceptAddresses(draft, 'endpointAddress', parseEndpointAddressExtension(bytes, at, length));
    case SOURCE_EXTENSION_TYPE:
      return acceptSource(draft, 'source', parseSourceExtension(bytes, at, length));
    case ENDPOINT_SOURCE_EXTENSION_TYPE:
      draft.sourceFlags = readEndpointSourceFlags(bytes, at) || undefined;
      return acceptSource(draft, 'endpointSource', parseEndpointSourceExtension(bytes, at, length));
    case RENDEZVOUS_EXTENSION_TYPE:
      return acceptRendezvous(draft, parseRendezvousExtension(bytes, at, length));
    default:
      return 'unknownExtension';
  }
}

function acceptControl(draft: Draft, control: ControlExtension | WireError): WireError | undefined {
  if (isWireError(control)) return control;
  if (draft.control !== undefined) return 'duplicateExtension';
  draft.control = control;
  return undefined;
}

function acceptService(draft: Draft, service: ServiceID | WireError): WireError | undefined {
  if (isWireError(service)) return service;
  if (draft.destinationService === undefined) draft.destinationService = service;
  else if (draft.sourceService === undefined) draft.sourceService = service;
  else return 'duplicateExtension';
  return undefined;
}

function acceptAddresses(
  draft: Draft,
  kind: AddressesKind,
  addresses: AddressExtension | WireError,
): WireError | undefined {
  if (isWireError(addresses)) return addresses;
  if (draft.addresses !== undefined) return 'duplicateExtension';
  draft.addresses = addresses;
  draft.addressesKind = kind;
  return undefined;
}

/** The two kinds mean the same, so one packet has one of them at most. */
function acceptSource(draft: Draft, kind: SourceKind, list: NetworkAddress[] | WireError): WireError | undefined {
  if (isWireError(list)) return list;
  if (draft.source !== undefined) return 'duplicateExtension';
  draft.source = list;
  draft.sourceKind = kind;
  return undefined;
}

function acceptRendezvous(draft: Draft, peerNonce: FlowNonce | WireError): WireError | undefined {
  if (isWireError(peerNonce)) return peerNonce;
  if (draft.peerNonce !== undefined) return 'duplicateExtension';
  draft.peerNonce = peerNonce;
  return undefined;
}

function addressesKindOf({ addresses, addressesKind }: SalPacketHeader): AddressesKind {
  if (addressesKind !== undefined) return addressesKind;
  return addresses?.addresses.some(isEndpoint) === true ? 'endpointAddress' : 'address';
}

function addressesBytes(addresses: AddressExtension, kind: AddressesKind): number {
  return kind === 'address' ? addressExtensionBytes(addresses) : endpointAddressExtensionBytes(addresses);
}

function writeAddresses(bytes: Uint8Array, at: number, addresses: AddressExtension, kind: AddressesKind): number {
  if (kind === 'address') return writeAddressExtension(bytes, at, addresses);
  return writeEndpointAddressExtension(bytes, at, addresses);
}

function sourceKindOf(header: SalPacketHeader): SourceKind {
  if (header.sourceKind !== undefined) return header.sourceKind;
  return header.source?.some(isEndpoint) === true ? 'endpointSource' : 'source';
}

/** What the original's lists have no room for. */
function isEndpoint({ family, port }: NetworkAddress): boolean {
  return family === 6 || port !== 0;
}

function sourceBytes(list: readonly NetworkAddress[], kind: SourceKind): number {
  return kind === 'source' ? sourceExtensionBytes(list) : endpointSourceExtensionBytes(list);
}

function writeSource(bytes: Uint8Array, at: number, list: readonly NetworkAddress[], header: SalPacketHeader): number {
  if (sourceKindOf(header) === 'source') return writeSourceExtension(bytes, at, list);
  return writeEndpointSourceExtension(bytes, at, list, header.sourceFlags);
}
