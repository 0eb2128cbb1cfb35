#include "train_joiner.h"

#include <cstring>

#include "../checksum/transport_checksum.h"
#include "wire_format.h"

namespace serval {

namespace {

/** The internet checksum over a bare SAL header, for every packet: without the loop that any length takes. */
bool hasValidCheck(const uint8_t* header) {
  static_assert(kSalHeaderBytes == sizeof(uint64_t) + sizeof(uint32_t));
  uint64_t first;
  uint32_t last;
  std::memcpy(&first, header, sizeof first);
  std::memcpy(&last, header + sizeof first, sizeof last);
  uint64_t sum = (first & 0xffffffff) + (first >> 32) + last;
  sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return sum == 0xffff;
}

}  // namespace

void Origin::set(const SocketAddress& from, const SocketAddress& to, int32_t rowFlags) {
  source = from;
  local = to;
  source.toRow(sourceRow);
  local.toRow(localRow);
  flags = rowFlags;
}

const uint8_t* TrainJoiner::Segment::tcp() const {
  return header + kSalHeaderBytes;
}

void TrainJoiner::begin(int32_t* rows, size_t capacity, uint8_t* slab, size_t start, size_t end) {
  rows_ = rows;
  capacity_ = capacity;
  count_ = 0;
  slab_ = slab;
  used_ = start;
  slabEnd_ = end;
  open_ = nullptr;
}

Refusal TrainJoiner::append(const Origin& origin, const uint8_t* packet, size_t length) {
  if (length < kSalHeaderBytes) return Refusal::truncated;
  if (!isBareTcp(packet)) {
    appendPacketRow(origin, packet, length);
    return Refusal::none;
  }
  if (!hasValidCheck(packet)) return Refusal::badCheck;
  const size_t tcpLength = length - kSalHeaderBytes;
  if (tcpLength < kTcpHeaderBytes) return Refusal::tcpTruncated;
  const size_t headerLength = tcpHeaderLength(packet + kSalHeaderBytes);
  if (headerLength < kTcpHeaderBytes || headerLength > tcpLength) return Refusal::tcpHeaderLength;
  if (transportChecksums_ && !hasValidTransportChecksum(packet, length, origin.source, origin.local)) {
    return Refusal::badTransportChecksum;
  }
  appendSegment(origin, {packet, packet + kSalHeaderBytes + headerLength, tcpLength - headerLength,
                         headerLength - kTcpHeaderBytes});
  return Refusal::none;
}

Refusal TrainJoiner::appendBareSegment(const Origin& origin, const uint8_t* header, const uint8_t* payload,
                                       size_t length) {
  if (!hasValidCheck(header)) return Refusal::badCheck;
  appendSegment(origin, {header, payload, length, 0});
  return Refusal::none;
}

void TrainJoiner::appendPacketRow(const Origin& origin, const uint8_t* packet, size_t length) {
  int32_t* const row = startRow(origin, packet);
  row[received::kind] = received::packet;
  row[received::offset] = static_cast<int32_t>(store(packet, length));
  row[received::length] = static_cast<int32_t>(length);
  open_ = nullptr;
}

void TrainJoiner::appendSegment(const Origin& origin, const Segment& segment) {
  const uint8_t* const tcp = segment.tcp();
  const auto length = static_cast<int32_t>(segment.payloadLength);
  const uint8_t flags = tcp[kTcpFlags];
  if (joins(origin, segment)) {
    store(segment.payload, segment.payloadLength);
    open_[received::length] += length;
    open_[received::tcpFlags] |= flags;
    open_[received::segments]++;
    if ((flags & kFin) != 0 || length < open_[received::segmentSize]) open_ = nullptr;
    return;
  }
  int32_t* const row = startRow(origin, segment.header);
  row[received::kind] = received::train;
  if (segment.optionsLength > 0) {
    row[received::optionsOffset] = static_cast<int32_t>(store(tcp + kTcpHeaderBytes, segment.optionsLength));
    row[received::optionsLength] = static_cast<int32_t>(segment.optionsLength);
  }
  row[received::offset] = static_cast<int32_t>(store(segment.payload, segment.payloadLength));
  row[received::length] = length;
  row[received::sequence] = static_cast<int32_t>(readUint32(tcp + kTcpSequence));
  row[received::acknowledgment] = static_cast<int32_t>(readUint32(tcp + kTcpAcknowledgment));
  row[received::window] = readUint16(tcp + kTcpWindow);
  row[received::tcpFlags] = flags;
  row[received::segmentSize] = length;
  const bool goesOn = length > 0 && segment.optionsLength == 0 && (flags & ~kPsh) == kAck;
  open_ = goesOn ? row : nullptr;
}

/**
 * Whether the segment goes on exactly where the open row ends. Pure acknowledgments are never joined: a
 * transport counts duplicates. PSH does not end a train; a short segment or FIN does.
 */
bool TrainJoiner::joins(const Origin& origin, const Segment& segment) const {
  if (open_ == nullptr || segment.payloadLength == 0 || segment.optionsLength > 0) return false;
  const uint8_t* const tcp = segment.tcp();
  const uint32_t expected =
      static_cast<uint32_t>(open_[received::sequence]) + static_cast<uint32_t>(open_[received::length]);
  return (tcp[kTcpFlags] & ~(kPsh | kFin)) == kAck && readUint32(tcp + kTcpSequence) == expected &&
         readUint32(tcp + kTcpAcknowledgment) == static_cast<uint32_t>(open_[received::acknowledgment]) &&
         readUint16(tcp + kTcpWindow) == open_[received::window] &&
         static_cast<int32_t>(segment.payloadLength) <= open_[received::segmentSize] &&
         readUint32(segment.header) == static_cast<uint32_t>(open_[received::sourceFlowID]) &&
         readUint32(segment.header + 4) == static_cast<uint32_t>(open_[received::destinationFlowID]) &&
         origin.flags == open_[received::flags] &&
         std::memcmp(open_ + received::sourceFamilyPort, origin.sourceRow, sizeof origin.sourceRow) == 0 &&
         std::memcmp(open_ + received::localFamilyPort, origin.localRow, sizeof origin.localRow) == 0;
}

int32_t* TrainJoiner::startRow(const Origin& origin, const uint8_t* header) {
  int32_t* const row = rows_ + count_ * received::kRowInts;
  count_++;
  std::memset(row, 0, received::kRowInts * sizeof *row);
  std::memcpy(row + received::sourceFamilyPort, origin.sourceRow, sizeof origin.sourceRow);
  std::memcpy(row + received::localFamilyPort, origin.localRow, sizeof origin.localRow);
  row[received::flags] = origin.flags;
  row[received::sourceFlowID] = static_cast<int32_t>(readUint32(header));
  row[received::destinationFlowID] = static_cast<int32_t>(readUint32(header + 4));
  row[received::segments] = 1;
  return row;
}

/** Puts bytes at the end of what is used and says where they stand. */
size_t TrainJoiner::store(const uint8_t* bytes, size_t length) {
  const size_t at = used_;
  if (bytes != slab_ + at) std::memmove(slab_ + at, bytes, length);
  used_ = at + length;
  return at;
}

}  // namespace serval
