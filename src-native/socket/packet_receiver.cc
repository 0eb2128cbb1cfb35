#include "packet_receiver.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "../checksum/transport_checksum.h"
#include "../train/wire_format.h"

namespace serval {

namespace {

constexpr size_t kSlotBytes = PacketReceiver::kBytesNeeded;
/**
 * From one slot to the next: with a power of two, the beginnings of all slots, where small datagrams are, would share
 * the same few lines of a processor's caches.
 */
constexpr size_t kSlotStride = kSlotBytes + 5 * 64;
/** Super-packets below this are no bulk: taking many a call is worth more than saving their copy. */
constexpr size_t kBulkBytes = 8192;
/** So many others in a row end a bulk flow. */
constexpr int kOtherDatagrams = 8;
/** Smallest segment that the header slots reach for: 128 * (492 + 32) covers any datagram. */
constexpr size_t kBulkSegmentMinimum = 492;

}  // namespace

PacketReceiver::PacketReceiver(Statistics& statistics, size_t burstRows)
    : statistics_(statistics), burstRows_(burstRows), staging_(new uint8_t[kSlots * kSlotStride]) {
  for (size_t slot = 0; slot < kSlots; slot++) {
    vectors_[slot] = {staging_.get() + slot * kSlotStride, kSlotBytes};
    msghdr& header = headers_[slot].msg_hdr;
    header.msg_name = sources_[slot].kernel();
    header.msg_iov = &vectors_[slot];
    header.msg_iovlen = 1;
    header.msg_control = &controls_[slot];
    readySlot(slot);
  }
}

/** A call writes lengths into the slots that it filled: only these are made ready again. */
void PacketReceiver::readySlot(size_t slot) {
  headers_[slot].msg_hdr.msg_namelen = SocketAddress::kKernelRoom;
  headers_[slot].msg_hdr.msg_controllen = sizeof controls_[slot];
}

PacketReceiver::Outcome PacketReceiver::receive(LinkSocket& socket, TrainJoiner& joiner, size_t byteEnd) {
  PerSocket& state = states_[socket.family() == 4 ? 0 : 1];
  while (hasRoom(joiner, byteEnd)) {
    const bool isBulk = state.bulkSegment > 0;
    const int taken = isBulk ? receiveScattered(socket, joiner, state) : receiveMany(socket, joiner, state);
    if (taken == 0) return Outcome::drained;
  }
  return Outcome::full;
}

bool PacketReceiver::hasRoom(const TrainJoiner& joiner, size_t byteEnd) const {
  return joiner.count() < burstRows_ && joiner.rowsLeft() >= kRowsNeeded && joiner.bytesLeft() >= kBytesNeeded &&
         joiner.used() < byteEnd;
}

/** Returns how many datagrams were taken; 0 when there was none or fewer than asked for. */
int PacketReceiver::receiveMany(LinkSocket& socket, TrainJoiner& joiner, PerSocket& state) {
  const size_t fitting = std::min(joiner.rowsLeft() / kRowsNeeded, joiner.bytesLeft() / kBytesNeeded);
  const size_t wanted = std::max<size_t>((burstRows_ - joiner.count()) / state.rowsPerDatagram, 1);
  const size_t slots = std::min({kSlots, fitting, wanted});
  const size_t rowsBefore = joiner.count();
  statistics_.receiveCalls++;
  const int taken =
      ::recvmmsg(socket.descriptor(), headers_.data(), static_cast<unsigned>(slots), MSG_DONTWAIT, nullptr);
  if (taken < 0) return failed();
  for (int slot = 0; slot < taken; slot++) {
    msghdr& header = headers_[slot].msg_hdr;
    const ReceivedControl control = readControl(header, socket.port());
    readySlot(static_cast<size_t>(slot));
    if ((header.msg_flags & MSG_TRUNC) != 0 || !readOrigin(socket, state, sources_[slot], control)) {
      statistics_.truncated++;
      continue;
    }
    const uint8_t* bytes = static_cast<uint8_t*>(vectors_[slot].iov_base);
    size_t length = headers_[slot].msg_len;
    statistics_.messagesReceived++;
    if (socket.isRaw() && socket.family() == 4 && !stripIpHeader(bytes, length)) continue;
    const size_t segmentSize = control.segmentSize == 0 ? length : control.segmentSize;
    appendAll(socket, joiner, bytes, length, segmentSize);
    bet(state, bytes, length, segmentSize);
  }
  if (taken > 0) state.rowsPerDatagram = std::max<size_t>((joiner.count() - rowsBefore) / taken, 1);
  return static_cast<size_t>(taken) == slots ? taken : 0;
}

/**
 * Takes one datagram, betting that it goes on like those before: bare segments of one size. Then every
 * payload stands where it belongs. A lost bet costs a copy, no more.
 */
int PacketReceiver::receiveScattered(LinkSocket& socket, TrainJoiner& joiner, PerSocket& state) {
  const size_t segment = state.bulkSegment;
  uint8_t* const payload = joiner.end();
  const size_t slots = std::min(kHeaderSlots, kBytesNeeded / (segment + kBareSegmentHeader) + 1);
  size_t reach = 0;
  for (size_t slot = 0; slot < slots; slot++) {
    const size_t room = std::min(segment, kBytesNeeded - reach);
    scatter_[slot * 2] = {&segmentHeaders_[slot * kBareSegmentHeader], kBareSegmentHeader};
    scatter_[slot * 2 + 1] = {payload + reach, room};
    reach += room;
  }
  msghdr header{};
  header.msg_name = sources_[0].kernel();
  header.msg_namelen = SocketAddress::kKernelRoom;
  header.msg_iov = scatter_.data();
  header.msg_iovlen = slots * 2;
  header.msg_control = &controls_[0];
  header.msg_controllen = sizeof controls_[0];
  statistics_.receiveCalls++;
  const ssize_t received = ::recvmsg(socket.descriptor(), &header, MSG_DONTWAIT);
  if (received < 0) return failed();
  const auto bytes = static_cast<size_t>(received);
  const ReceivedControl control = readControl(header, socket.port());
  if ((header.msg_flags & MSG_TRUNC) != 0 || !readOrigin(socket, state, sources_[0], control)) {
    statistics_.truncated++;
    return 1;
  }
  statistics_.messagesReceived++;
  const size_t groSegment = control.segmentSize == 0 ? bytes : control.segmentSize;
  if (!isScatteredAsBet(bytes, groSegment, segment)) {
    gather(bytes, segment, payload);
    appendAll(socket, joiner, staging_.get(), bytes, groSegment);
    bet(state, staging_.get(), bytes, groSegment);
    return 1;
  }
  statistics_.messagesScattered++;
  if (bytes >= kBulkBytes) state.otherDatagrams = 0;
  const size_t whole = segment + kBareSegmentHeader;
  for (size_t at = 0, slot = 0; at < bytes; at += whole, slot++) {
    const size_t length = std::min(whole, bytes - at) - kBareSegmentHeader;
    statistics_.packetsReceived++;
    statistics_.count(joiner.appendBareSegment(origin_, &segmentHeaders_[slot * kBareSegmentHeader],
                                               payload + slot * segment, length));
  }
  statistics_.bytesReceived += bytes;
  if (bytes < kBulkBytes) countOther(state);
  return 1;
}

/** Every segment is bare TCP without options, and as long as was bet; the last may be shorter. */
bool PacketReceiver::isScatteredAsBet(size_t bytes, size_t groSegment, size_t bet) const {
  const size_t whole = bet + kBareSegmentHeader;
  if (groSegment != whole && (bytes != groSegment || bytes > whole)) return false;
  for (size_t at = 0, slot = 0; at < bytes; at += whole, slot++) {
    const uint8_t* const header = &segmentHeaders_[slot * kBareSegmentHeader];
    if (bytes - at < kBareSegmentHeader || !isBareTcp(header)) return false;
    if (tcpHeaderLength(header + kSalHeaderBytes) != kTcpHeaderBytes) return false;
  }
  return true;
}

/** Puts a scattered datagram together again, in the staging room. */
void PacketReceiver::gather(size_t bytes, size_t bet, const uint8_t* payload) {
  uint8_t* const target = staging_.get();
  const size_t whole = bet + kBareSegmentHeader;
  for (size_t at = 0, slot = 0; at < bytes; at += whole, slot++) {
    const size_t headerPart = std::min(kBareSegmentHeader, bytes - at);
    std::memcpy(target + at, &segmentHeaders_[slot * kBareSegmentHeader], headerPart);
    const size_t payloadPart = std::min(whole, bytes - at) - headerPart;
    std::memcpy(target + at + headerPart, payload + slot * bet, payloadPart);
  }
}

bool PacketReceiver::readOrigin(LinkSocket& socket, PerSocket& state, const SocketAddress& source,
                                const ReceivedControl& control) {
  if (control.hasOverflows) {
    statistics_.receiveOverflows += control.overflows - state.overflows;
    state.overflows = control.overflows;
  }
  if (control.local.family() == 0 || source.family() == 0) return false;
  SocketAddress from = source;
  if (socket.isRaw()) from.setPort(0);
  origin_.set(from, control.local, control.isBroadcast ? received::broadcast : 0);
  // What the checksum covers: for a broadcast that is not the address we answer from.
  addressed_ = control.destination;
  return true;
}

/** A raw IPv4 socket delivers the IP header too. */
bool PacketReceiver::stripIpHeader(const uint8_t*& bytes, size_t& length) {
  const size_t headerLength = length > 0 ? (bytes[0] & 0x0f) * size_t{4} : 0;
  if (headerLength < 20 || headerLength > length) {
    statistics_.ipTruncated++;
    return false;
  }
  bytes += headerLength;
  length -= headerLength;
  return true;
}

void PacketReceiver::appendAll(const LinkSocket& socket, TrainJoiner& joiner, const uint8_t* bytes, size_t length,
                               size_t segmentSize) {
  statistics_.bytesReceived += length;
  for (size_t at = 0; at < length; at += segmentSize) {
    const uint8_t* const packet = bytes + at;
    const size_t packetLength = std::min(segmentSize, length - at);
    statistics_.packetsReceived++;
    if (joiner.rowsLeft() == 0) {
      statistics_.receiveErrors++;
      continue;
    }
    // The joiner verifies segments of established flows; on raw links all else is verified here.
    if (socket.isRaw() && packetLength >= kSalHeaderBytes && !isBareTcp(packet) &&
        !hasValidTransportChecksum(packet, packetLength, origin_.source, addressed_)) {
      statistics_.badTransportChecksum++;
      continue;
    }
    statistics_.count(joiner.append(origin_, packet, packetLength));
  }
}

/** Bets on the next datagram: like this one, if that was large, and of bare segments. */
void PacketReceiver::bet(PerSocket& state, const uint8_t* bytes, size_t length, size_t segmentSize) {
  const bool isBulk = length >= kBulkBytes && isBareTcp(bytes) &&
                      segmentSize >= kBulkSegmentMinimum + kBareSegmentHeader &&
                      tcpHeaderLength(bytes + kSalHeaderBytes) == kTcpHeaderBytes;
  if (!isBulk) {
    countOther(state);
    return;
  }
  state.bulkSegment = segmentSize - kBareSegmentHeader;
  state.otherDatagrams = 0;
}

/** Acknowledgments between the trains do not end a bulk flow. */
void PacketReceiver::countOther(PerSocket& state) {
  if (++state.otherDatagrams >= kOtherDatagrams) state.bulkSegment = 0;
}

/** A pending ICMP error fails one receive and is gone; the error queue tells what it was. */
int PacketReceiver::failed() {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return 0;
  statistics_.receiveErrors++;
  return 0;
}

}  // namespace serval
