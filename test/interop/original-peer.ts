// Judges what our stack sends by what the original end host accepts (wire format §4-§9): each packet alone,
// and in the conversation so far. It knows the peer's side only from the peer's own packets, which it hears.
//
// Tolerated, for the original does not care: SACK-permitted in a SYN (unknown options are skipped), another
// window, another cut of the stream into segments, other numbers of pure acknowledgments, a checksum in the
// empty UDP headers of SYN-ACK and third ACK (the original sends 0 there, and accepts either).

import { Control, Extension, type IpPacket, type PacketView, Tcp, viewOf } from './packet-view';

export type PacketKind =
  | 'syn'
  | 'synAck'
  | 'thirdAck'
  | 'segment'
  | 'datagram'
  | 'unconnected'
  | 'fin'
  | 'ack'
  | 'rsyn'
  | 'rsynAck'
  | 'reset'
  | 'rejection';

/** One of our flows, as the other end knows it. */
interface Conversation {
  readonly flowID: number;
  readonly protocol: number;
  readonly nonce: string;
  readonly service: string;
  /** The number of our SYN or SYN-ACK, and the next one. */
  readonly initialSequence: number;
  nextSequence: number;
  readonly tcpInitial: number;
  readonly ownScale: number | undefined;
  peer: Peer | undefined;
  /** Positions in our stream, SYN = 0: what the peer acknowledged, and where its window ends. */
  acknowledged: number;
  windowEdge: number;
  /** Position of our TCP FIN. */
  endsAt: number | undefined;
  /** The number of our FIN. */
  finSequence: number | undefined;
  /** Where the peer knows us to be, and where our RSYN said that we are. */
  ourAddress: string;
  movesTo: string | undefined;
}

interface Peer {
  address: string;
  /** Where its RSYN came from. */
  movesTo: string | undefined;
  readonly flowID: number;
  /** What every `ackno` of ours must be: one behind its last SYN, SYN-ACK or FIN. */
  nextSequence: number;
  readonly tcpInitial: number;
  readonly windowShift: number;
  /** How much of its stream it has sent, SYN included. */
  sent: number;
}

export class OriginalPeer {
  /** Payload of our streams by flowID, as far as it was sent. */
  readonly streams = new Map<number, Buffer>();
  private readonly conversations = new Map<number, Conversation>();
  /** SYNs of the peer that we may answer, by its flowID. */
  private readonly syns = new Map<number, PacketView>();
  /** SYN-ACKs of instances that came second, by their address. */
  private readonly rivals = new Map<string, PacketView>();

  constructor(private readonly ourAddress: string) {}

  // ---- what the peer sent ----

  hears(packet: IpPacket): void {
    const view = viewOf(packet);
    const { control, tcp } = view;
    const flags = control?.flags ?? 0;
    if (flags === Control.syn) {
      this.syns.set(view.sourceFlowID, view);
      return;
    }
    const conversation = this.conversations.get(view.destinationFlowID);
    if (conversation === undefined) return;
    if (flags === (Control.syn | Control.ack)) this.hearSynAck(conversation, view);
    if (conversation.peer !== undefined && view.sourceFlowID === conversation.peer.flowID) hearMove(conversation, view);
    if (view.sourceFlowID !== conversation.peer?.flowID || packet.source !== conversation.peer.address) return;
    if ((flags & Control.fin) !== 0) conversation.peer.nextSequence = plusOne(control!.sequence);
    if (tcp !== undefined) hearSegment(conversation, conversation.peer, tcp);
  }

  private hearSynAck(conversation: Conversation, view: PacketView): void {
    const { control, tcp, packet } = view;
    if (conversation.peer !== undefined) {
      if (conversation.peer.address !== packet.source) this.rivals.set(packet.source, view);
      return;
    }
    // The last SOURCE address, which is where the packet came from (§7.5).
    conversation.peer = {
      address: view.sourceList?.at(-1) ?? packet.source,
      movesTo: undefined,
      flowID: view.sourceFlowID,
      nextSequence: plusOne(control!.sequence),
      tcpInitial: tcp?.sequence ?? 0,
      windowShift: tcp?.windowScale ?? 0,
      sent: 1,
    };
    if (tcp !== undefined) conversation.windowEdge = 1 + tcp.window;
  }

  // ---- what we sent ----

  /** What the packet is to the original. Throws when the original would not take it as that. */
  judge(packet: IpPacket): PacketKind {
    const view = viewOf(packet);
    if (view.problems.length > 0) throw refusal(view, view.problems.join(', '));
    const require = (holds: boolean, rule: string): void => {
      if (!holds) throw refusal(view, rule);
    };
    if (view.control !== undefined) return this.judgeControl(view, view.control.flags, require);
    if (view.services.length > 0) return judgeUnconnected(view, require);
    return this.judgeData(view, require);
  }

  private judgeControl(view: PacketView, flags: number, require: Require): PacketKind {
    switch (flags) {
      case Control.syn:
        return this.judgeSyn(view, require);
      case Control.syn | Control.ack:
        return this.judgeSynAck(view, require);
      case Control.rst | Control.ack:
        return this.judgeReset(view, require);
      case Control.fin:
        return this.judgeFin(view, require);
      case Control.rsyn:
        return this.judgeRsyn(view, require);
      case Control.rsyn | Control.ack:
        return this.judgeRsynAck(view, require);
      case Control.ack:
        return view.services.length > 0 ? this.judgeThirdAck(view, require) : this.judgeAck(view, require);
      default:
        throw refusal(view, `flags ${flags.toString(16)} are none the original sends`);
    }
  }

  private judgeSyn(view: PacketView, require: Require): 'syn' {
    const { control, tcp, packet } = view;
    require(hasExtensions(view, [Extension.control, Extension.service]), 'a SYN has CONTROL and SERVICE (§4)');
    require(view.destinationFlowID === 0, 'a SYN has no destination flowID (§2)');
    require(control!.ack === 0, 'the ackno of a SYN is 0 (§5)');
    require(packet.source === this.ourAddress, 'a SYN comes from our own address');
    judgeHandshakeSegment(view, Tcp.syn, require);
    if (view.protocol === 17) require(view.transport.readUInt16BE(6) !== 0, 'a SYN has a real UDP checksum (§9)');
    const known = this.conversations.get(view.sourceFlowID);
    if (known === undefined) {
      this.begin(view, tcp?.sequence ?? 0);
      return 'syn';
    }
    const isSame = known.initialSequence === control!.sequence && known.nonce === control!.nonce;
    require(isSame && known.tcpInitial === (tcp?.sequence ?? 0), 'a repeated SYN is the same (§7.7)');
    return 'syn';
  }

  private judgeSynAck(view: PacketView, require: Require): 'synAck' {
    const { control, tcp, packet } = view;
    const syn = this.syns.get(view.destinationFlowID);
    if (syn === undefined) throw refusal(view, 'a SYN-ACK answers a SYN');
    const list = syn.sourceList;
    const order = list === undefined ? [Extension.control] : [Extension.control, Extension.source];
    require(hasExtensions(view, order), 'a SYN-ACK has CONTROL, and SOURCE when the SYN had it (§4)');
    if (list !== undefined) {
      const expected = [...list, this.ourAddress].join();
      require(view.sourceList!.join() === expected, "SOURCE is the SYN's with our address behind it (§11)");
    }
    require(packet.destination === (list?.[0] ?? syn.packet.source), 'a SYN-ACK goes to the client itself (§7.4)');
    require(packet.source === this.ourAddress, 'a SYN-ACK comes from a unicast address of ours (§7.4)');
    require(control!.ack === plusOne(syn.control!.sequence), "ackno is one behind the SYN's verno (§5)");
    judgeHandshakeSegment(view, Tcp.syn | Tcp.ack, require);
    if (tcp !== undefined) {
      require(tcp.ack === plusOne(syn.tcp!.sequence), 'the TCP SYN is acknowledged');
      const scales = syn.tcp!.windowScale !== undefined;
      require(scales || tcp.windowScale === undefined, 'a window scale only if the SYN had one (§9)');
      require(!tcp.options.includes(4) || syn.tcp!.options.includes(4), 'SACK permitted only if the SYN offered it');
    }
    const known = this.conversations.get(view.sourceFlowID);
    if (known !== undefined) {
      const isSame = known.initialSequence === control!.sequence && known.nonce === control!.nonce;
      require(isSame, 'a repeated SYN-ACK is the same (§7.7)');
      return 'synAck';
    }
    const begun = this.begin(view, tcp?.sequence ?? 0);
    begun.peer = {
      address: packet.destination,
      movesTo: undefined,
      flowID: view.destinationFlowID,
      nextSequence: plusOne(syn.control!.sequence),
      tcpInitial: syn.tcp?.sequence ?? 0,
      windowShift: syn.tcp?.windowScale ?? 0,
      sent: 1,
    };
    return 'synAck';
  }

  private judgeThirdAck(view: PacketView, require: Require): 'thirdAck' {
    const [conversation, peer] = this.established(view, require);
    const { control, tcp } = view;
    const order = [Extension.control, Extension.service];
    require(hasExtensions(view, order), 'the third ACK has CONTROL and SERVICE (§7.6)');
    require(view.services[0] === conversation.service, 'the third ACK names the service of the SYN (§7.6)');
    require(control!.sequence === plusOne(conversation.initialSequence), 'verno is exactly iss+1 (§5)');
    require(control!.ack === peer.nextSequence, "ackno is exactly the server's iss+1 (§5)");
    judgeHandshakeSegment(view, Tcp.ack, require);
    if (tcp !== undefined) {
      require(tcp.sequence === plusOne(conversation.tcpInitial), 'TCP sequence number of the third ACK');
      require(tcp.ack === plusOne(peer.tcpInitial), 'TCP acknowledgment of the third ACK');
      require(tcp.window > 0, 'the peer takes our window from the third ACK (§9)');
    }
    return 'thirdAck';
  }

  private judgeAck(view: PacketView, require: Require): 'ack' {
    const [conversation, peer] = this.established(view, require);
    require(isBareControl(view), 'an ACK has CONTROL alone (§4)');
    require(view.control!.sequence === conversation.nextSequence, 'a pure ACK uses up no number (§5)');
    require(view.control!.ack === peer.nextSequence, 'ackno is the next number of the peer (§5)');
    return 'ack';
  }

  private judgeFin(view: PacketView, require: Require): 'fin' {
    const [conversation, peer] = this.established(view, require);
    require(isBareControl(view), 'a FIN has CONTROL alone (§4)');
    const { sequence } = view.control!;
    const expected = conversation.finSequence ?? conversation.nextSequence;
    require(sequence === expected, 'FIN has the number behind that of the SYN or RSYN, repeated or not (§5)');
    require(view.control!.ack === peer.nextSequence, 'ackno is valid in a FIN too (§5)');
    if (view.protocol === 6) {
      const { endsAt, acknowledged } = conversation;
      const isOver = endsAt !== undefined && acknowledged > endsAt;
      require(isOver, "the SAL's FIN follows when the stream's FIN was acknowledged (§8)");
    }
    conversation.finSequence = sequence;
    conversation.nextSequence = plusOne(sequence);
    return 'fin';
  }

  /** §12: from the new address to where the peer is, numbered anew, or the last one again. */
  private judgeRsyn(view: PacketView, require: Require): 'rsyn' {
    const conversation = this.conversations.get(view.sourceFlowID);
    if (conversation?.peer === undefined) throw refusal(view, 'a RSYN is of an established flow (§12)');
    const { sequence, ack, nonce } = view.control!;
    require(isBareControl(view), 'a RSYN has CONTROL alone (§4)');
    require(view.packet.destination ===
      conversation.peer.address, 'a RSYN goes to the known address of the peer (§12)');
    require(view.destinationFlowID === conversation.peer.flowID &&
      nonce === conversation.nonce, 'of the same flow (§12)');
    const isRepeated = conversation.movesTo !== undefined && plusOne(sequence) === conversation.nextSequence;
    require(isRepeated || sequence === conversation.nextSequence, 'a RSYN uses up a number (§5)');
    require(ack === conversation.peer.nextSequence, 'ackno is valid in a RSYN too (§5)');
    conversation.nextSequence = plusOne(sequence);
    conversation.movesTo = view.packet.source;
    return 'rsyn';
  }

  private judgeRsynAck(view: PacketView, require: Require): 'rsynAck' {
    const conversation = this.conversations.get(view.sourceFlowID);
    const peer = conversation?.peer;
    if (conversation === undefined || peer === undefined)
      throw refusal(view, 'a RSYN-ACK is of an established flow (§12)');
    const { sequence, ack, nonce } = view.control!;
    require(isBareControl(view), 'a RSYN-ACK has CONTROL alone (§4)');
    require(view.packet.destination === peer.movesTo, 'a RSYN-ACK goes to where the RSYN came from (§12)');
    require(view.packet.source === conversation.ourAddress, 'a RSYN-ACK comes from the address that the peer knows');
    require(view.destinationFlowID === peer.flowID && nonce === conversation.nonce, 'of the same flow (§12)');
    require(sequence === conversation.nextSequence, 'a RSYN-ACK uses up no number (§5)');
    require(ack === peer.nextSequence, "ackno is one behind the RSYN's verno (§5)");
    return 'rsynAck';
  }

  private judgeReset(view: PacketView, require: Require): 'reset' | 'rejection' {
    // §16.12: with SERVICE it would close the listener.
    require(isBareControl(view), 'a RST has CONTROL alone, never SERVICE (§4, §16)');
    const conversation = this.conversations.get(view.sourceFlowID);
    if (conversation === undefined) throw refusal(view, 'a RST for a flow that never was');
    require(view.control!.nonce === conversation.nonce, 'every CONTROL has our nonce (§6)');
    const rival = this.rivals.get(view.packet.destination);
    if (rival !== undefined && view.destinationFlowID === rival.sourceFlowID) return 'rejection';
    const [, peer] = this.established(view, require);
    require(view.control!.sequence === conversation.nextSequence, 'verno of a RST is the next number (§5)');
    require(view.control!.ack === peer.nextSequence, 'ackno of a RST is the next number of the peer (§5)');
    return 'reset';
  }

  private judgeData(view: PacketView, require: Require): 'segment' | 'datagram' {
    const [conversation, peer] = this.established(view, require);
    require(view.salLength === 12, 'data has the bare SAL header (§4)');
    const isData = view.datagram !== undefined || (view.tcp?.payload.length ?? 0) > 0;
    require(conversation.finSequence === undefined ||
      !isData, "no data behind the SAL's FIN, acknowledgments only (§8)");
    if (view.datagram !== undefined) {
      require(view.datagram.length > 0, 'the original drops empty datagrams (§9)');
      return 'datagram';
    }
    const { tcp } = view;
    if (tcp === undefined) throw refusal(view, 'data has a transport header');
    require((tcp.flags & ~(Tcp.fin | Tcp.psh)) === Tcp.ack, 'an established segment has ACK, and PSH or FIN at most');
    require(tcp.options.length === 0, 'no SACK blocks and no timestamps: the peer offered neither (§9)');
    const acknowledged = (tcp.ack - peer.tcpInitial) >>> 0;
    require(acknowledged >= 1 && acknowledged <= peer.sent, 'only what was sent is acknowledged');
    this.takePayload(conversation, tcp.payload, (tcp.sequence - conversation.tcpInitial) >>> 0, tcp.flags, require);
    return 'segment';
  }

  private takePayload(of: Conversation, payload: Buffer, position: number, flags: number, require: Require): void {
    const stream = this.streams.get(of.flowID)!;
    const sent = stream.length + 1 + (of.endsAt === undefined ? 0 : 1);
    require(position >= 1 && position <= sent, 'the stream has no gaps');
    const end = position + payload.length;
    if (payload.length > 0) {
      // A probe of a closed window may be one byte outside (RFC 9293 3.8.6.1).
      require(end <= Math.max(of.windowEdge, of.acknowledged + 1), "data stays inside of the peer's window");
      require(of.endsAt === undefined || end <= of.endsAt, 'no data behind the FIN');
    }
    const old = stream.subarray(position - 1, end - 1);
    require(payload.subarray(0, old.length).equals(old), 'repeated bytes are the same');
    if (end - 1 > stream.length)
      this.streams.set(of.flowID, Buffer.concat([stream.subarray(0, position - 1), payload]));
    if ((flags & Tcp.fin) === 0) return;
    require(of.endsAt === undefined || of.endsAt === end, 'the FIN stays where it is');
    require(end - 1 === this.streams.get(of.flowID)!.length, 'the FIN is behind the last byte');
    of.endsAt = end;
  }

  private begin(view: PacketView, tcpInitial: number): Conversation {
    const conversation: Conversation = {
      flowID: view.sourceFlowID,
      protocol: view.protocol,
      nonce: view.control!.nonce,
      service: view.services[0] ?? '',
      initialSequence: view.control!.sequence,
      nextSequence: plusOne(view.control!.sequence),
      tcpInitial,
      ownScale: view.tcp?.windowScale,
      peer: undefined,
      acknowledged: 0,
      windowEdge: 0,
      endsAt: undefined,
      finSequence: undefined,
      ourAddress: this.ourAddress,
      movesTo: undefined,
    };
    this.conversations.set(conversation.flowID, conversation);
    this.streams.set(conversation.flowID, Buffer.alloc(0));
    return conversation;
  }

  /** What holds for every packet to the peer of an established flow. */
  private established(view: PacketView, require: Require): [Conversation, Peer] {
    const conversation = this.conversations.get(view.sourceFlowID);
    const peer = conversation?.peer;
    if (conversation === undefined || peer === undefined) throw refusal(view, 'no such flow is established');
    require(view.protocol === conversation.protocol, 'the protocol stays the same');
    require(view.destinationFlowID === peer.flowID, "the destination flowID is the peer's");
    require(view.packet.destination === peer.address, 'packets go where the peer answered from (§7.5)');
    require(view.packet.source === conversation.ourAddress, 'packets come from the address that the peer knows');
    const { control } = view;
    require(control === undefined || control.nonce === conversation.nonce, 'every CONTROL has our nonce (§6)');
    return [conversation, peer];
  }
}

type Require = (holds: boolean, rule: string) => void;

function judgeUnconnected(view: PacketView, require: Require): 'unconnected' {
  const order = [Extension.service, Extension.service];
  const forwarded = [...order, Extension.source];
  require(hasExtensions(view, order) || hasExtensions(view, forwarded), 'SERVICE of destination and source (§9)');
  require(view.destinationFlowID === 0, 'an unconnected datagram has no destination flowID (§2)');
  require(view.protocol === 17 && view.datagram !== undefined, 'an unconnected datagram is UDP');
  require((view.datagram?.length ?? 0) > 0, 'the original drops empty datagrams (§9)');
  return 'unconnected';
}

/** The transport part of SYN, SYN-ACK and third ACK. */
function judgeHandshakeSegment(view: PacketView, flags: number, require: Require): void {
  const { tcp } = view;
  if (view.protocol === 17) {
    require(view.datagram?.length === 0, 'connected UDP shakes hands with an empty UDP header (§4)');
    return;
  }
  require(tcp !== undefined && tcp.payload.length === 0, 'a handshake carries a TCP header and no data (§7.1)');
  require(tcp!.flags === flags, 'TCP flags follow those of the SAL (§9)');
  if ((flags & Tcp.syn) === 0) {
    require(tcp!.options.length === 0, 'the third ACK has no TCP options');
    return;
  }
  const size = tcp!.maximumSegment ?? 0;
  require(size > 0, 'SYN and SYN-ACK announce an MSS (§9)');
  // It reads the bytes in the wrong order and cuts its segments to what it read (§9).
  require((((size & 0xff) << 8) | (size >> 8)) >= size, 'the MSS has no small low byte (§9)');
  require((tcp!.windowScale ?? 0) <= 14, 'window scale (RFC 7323)');
  require(tcp!.options.every((kind) => kind >= 2 && kind <= 4), 'MSS, window scale and SACK permitted, nothing else');
}

/** RSYN and RSYN-ACK of the peer, and the ACK with which it is at its new address (§12). */
function hearMove(conversation: Conversation, { control, packet }: PacketView): void {
  const peer = conversation.peer!;
  if (control?.flags === Control.rsyn) {
    peer.movesTo = packet.source;
    peer.nextSequence = plusOne(control.sequence);
  } else if (control?.flags === Control.ack && packet.source === peer.movesTo) {
    peer.address = packet.source;
  } else if (control?.flags === (Control.rsyn | Control.ack) && control.ack === conversation.nextSequence) {
    conversation.ourAddress = conversation.movesTo ?? conversation.ourAddress;
  }
}

function hearSegment(conversation: Conversation, peer: Peer, tcp: NonNullable<PacketView['tcp']>): void {
  const end = ((tcp.sequence - peer.tcpInitial) >>> 0) + tcp.payload.length + ((tcp.flags & Tcp.fin) === 0 ? 0 : 1);
  peer.sent = Math.max(peer.sent, end);
  const acknowledged = (tcp.ack - conversation.tcpInitial) >>> 0;
  conversation.acknowledged = Math.max(conversation.acknowledged, acknowledged);
  const isScaled = conversation.ownScale !== undefined && (tcp.flags & Tcp.syn) === 0;
  const window = isScaled ? tcp.window << peer.windowShift : tcp.window;
  conversation.windowEdge = Math.max(conversation.windowEdge, acknowledged + window);
}

function hasExtensions(view: PacketView, types: readonly number[]): boolean {
  return view.extensions.join() === types.join();
}

function isBareControl(view: PacketView): boolean {
  return hasExtensions(view, [Extension.control]) && view.transport.length === 0;
}

function plusOne(sequence: number): number {
  return (sequence + 1) >>> 0;
}

function refusal({ packet }: PacketView, rule: string): Error {
  const { source, destination, bytes } = packet;
  return new Error(`the original does not accept ${source} > ${destination} ${bytes.toString('hex')}: ${rule}`);
}
