// The addon's surface as src-native/binding defines it. Addresses cross the border as five integers, like in
// the rows of a batch: family << 16 | port, then four words.

export interface NativeSocketLinkOptions {
  /** IP protocol of raw sockets; 0, the default, means UDP. */
  readonly rawProtocol?: number;
  readonly port?: number;
  readonly v4?: boolean;
  readonly v6?: boolean;
  /** Bytes of the kernel's socket buffers; 0 leaves its default. */
  readonly sendBuffer?: number;
  readonly receiveBuffer?: number;
  /** Bytes kept for a full socket. */
  readonly heldMaximum?: number;
  /** UDP_SEGMENT and UDP_GRO, where the kernel has them. Default true. */
  readonly segmentation?: boolean;
  readonly aggregation?: boolean;
  /** How long the event loop polls after traffic before it sleeps; 0, the default, not at all. */
  readonly spinMicroseconds?: number;
  /** Raw: packets to flowIDs that do not begin with these bits are dropped, first packets excepted. 0 bits: none is. */
  readonly flowTag?: number;
  readonly flowTagBits?: number;
  /** A burst ends when it has this many rows, 128 by default, or this many bytes. */
  readonly burstRows?: number;
  readonly burstBytes?: number;
}

export interface NativeLinkHandler {
  /** So many rows have been written. */
  received(rows: number): void;
  /** Follows `received` as a callback of its own: what that put off with nextTick has run. */
  settled(): void;
  writable(): void;
  unreachable(familyPort: number, word0: number, word1: number, word2: number, word3: number): void;
  packetTooBig(familyPort: number, word0: number, word1: number, word2: number, word3: number, mtu: number): void;
  closed(): void;
}

export interface NativeFailure {
  /** Negative, as in Node's errors. */
  readonly errno: number;
  readonly syscall: string;
}

/** An IPv4 and an IPv6 socket. Opened once; alive until closed, and statistics until `closed` is called. */
export interface NativeSocketLink {
  open(): NativeFailure | undefined;
  transmit(
    rows: Int32Array,
    count: number,
    headers: Uint8Array,
    pieces: readonly Uint8Array[],
    pieceSpans: Int32Array,
    pieceCount: number,
  ): boolean;
  /** Bursts go into this slab from now on. */
  setSlab(slab: Uint8Array): void;
  /** Bytes of the slab before `start` belong to others now. */
  advance(start: number): void;
  ref(): void;
  unref(): void;
  close(): void;
  /** Addresses or routes of this host have changed. */
  forgetSources(): void;
  /** For tests: the next `times` sends (of super-packets only, if so) fail with this errno. */
  injectSendError(errno: number, times: number, segmentedOnly: boolean): void;
  statistics(): Record<string, number>;
  port(): number;
  /** Bytes that the kernel granted. */
  receiveBuffer(): number;
}

export interface NativeInterfaceAddress {
  readonly name: string;
  readonly index: number;
  /** Five integers. */
  readonly address: readonly number[];
  readonly prefixBits: number;
  readonly broadcast?: readonly number[];
  readonly mtu: number;
  readonly isLoopback: boolean;
}

/** Hears of interfaces by netlink. Opened once; never keeps the process alive. */
export interface NativeInterfaceMonitor {
  open(): NativeFailure | undefined;
  /** Of interfaces that are up and running, without IPv6 addresses still checked for duplicates. */
  addresses(): NativeInterfaceAddress[];
  close(): void;
}

export interface NativeRowLayout {
  readonly receivedField: Readonly<Record<string, number>>;
  readonly receivedRowInts: number;
  readonly rowKind: Readonly<Record<string, number>>;
  readonly rowFlag: Readonly<Record<string, number>>;
  readonly transmitField: Readonly<Record<string, number>>;
  readonly transmitRowInts: number;
  readonly transmitFlag: Readonly<Record<string, number>>;
}

export interface NativeBinding {
  readonly SocketLink: new (
    options: NativeSocketLinkOptions,
    rows: Int32Array,
    slab: Uint8Array,
    handler: NativeLinkHandler,
  ) => NativeSocketLink;
  readonly InterfaceMonitor: new (changed: () => void) => NativeInterfaceMonitor;
  /** IP MTU towards an address by the routing table, bytes; 0 without a route. */
  pathMtu(address: Int32Array): number;

  /** What the spin policy answers to events: [kind, microseconds] each, kind 0 sent, 1 received, 2 asked if over. */
  spinDecisions(bound: number, events: Int32Array): boolean[];

  /** The order in which the rows of a batch are sent. */
  sendOrder(
    rows: Int32Array,
    count: number,
    headers: Uint8Array,
    pieces: readonly Uint8Array[],
    pieceSpans: Int32Array,
    pieceCount: number,
  ): number[];

  // Single functions of the core, which tests compare with lib/wire.
  rowLayout(): NativeRowLayout;
  internetChecksum(bytes: Uint8Array, cutAt: number): number;
  sealTransportChecksum(packet: Uint8Array, source: Int32Array, destination: Int32Array): void;
  cutTrains(
    rows: Int32Array,
    count: number,
    headers: Uint8Array,
    pieces: readonly Uint8Array[],
    pieceSpans: Int32Array,
    pieceCount: number,
    wholeTransportHeader: boolean,
  ): Buffer[];
  /** `origins` has 11 integers a packet: source, local address, row flags. */
  joinTrains(
    packets: readonly Uint8Array[],
    origins: Int32Array,
    rows: Int32Array,
    slab: Uint8Array,
    transportChecksums: boolean,
  ): { readonly count: number; readonly refusals: readonly string[] };
}
