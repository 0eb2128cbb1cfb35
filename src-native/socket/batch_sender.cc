#include "batch_sender.h"

#include <cstring>

#include "../checksum/transport_checksum.h"

namespace serval {

namespace {

/** Packets in one super-packet: UDP_MAX_SEGMENTS of kernels before 6.9. */
constexpr size_t kSegmentsMaximum = 64;
/** Bytes of one super-packet; IP counts to 65,535 with its headers. */
constexpr size_t kMessageBytes = 65'000;
/** No IP packet is larger. */
constexpr size_t kPacketMaximum = 65'535;
/** UIO_MAXIOV. */
constexpr size_t kVectorsMaximum = 1024;
/** One system call's headers and small payloads: 64 full trains of 46 headers need 94 kB. */
constexpr size_t kArenaBytes = 256 * 1024;
constexpr size_t kArenaVectors = 8192;

constexpr uint32_t kNone = UINT32_MAX;
constexpr size_t kKeyBytes = 2 * kAddressInts * sizeof(int32_t);

/** Destination and source stand side by side at the start of a row. */
bool isSamePath(const int32_t* a, const int32_t* b) {
  return a == b || std::memcmp(a, b, kKeyBytes) == 0;
}

uint32_t hashOfPath(const int32_t* row) {
  uint32_t hash = 2166136261u;
  for (size_t index = 0; index < 2 * kAddressInts; index++) {
    hash = (hash ^ static_cast<uint32_t>(row[index])) * 16777619u;
    hash ^= hash >> 15;
  }
  return hash;
}

}  // namespace

BatchSender::BatchSender(MessageSender& sender, const LinkSocket& v4, const LinkSocket& v6, bool isRaw)
    : sender_(sender), v4_(v4), v6_(v6), isRaw_(isRaw), arena_(kArenaBytes, kArenaVectors) {
  messages_.reserve(MessageSender::kMessagesPerCall);
}

void BatchSender::send(const TransmitRows& batch) {
  orderByDestination(batch);
  for (const Destination& destination : destinations_) {
    for (uint32_t row = destination.first; row != kNone; row = nextRow_[row]) sendRow(batch, row);
  }
  flush();
}

/** Rows for one destination keep their order; those for several need not keep theirs. */
void BatchSender::orderByDestination(const TransmitRows& batch) {
  destinations_.clear();
  nextRow_.assign(batch.count, kNone);
  size_t size = 16;
  while (size < batch.count * 2) size *= 2;
  buckets_.assign(size, kNone);
  uint32_t current = kNone;
  for (uint32_t index = 0; index < batch.count; index++) {
    const int32_t* const row = batch.row(index);
    if (current == kNone || !isSamePath(destinations_[current].row, row)) {
      size_t bucket = hashOfPath(row) & (size - 1);
      while (buckets_[bucket] != kNone && !isSamePath(destinations_[buckets_[bucket]].row, row)) {
        bucket = (bucket + 1) & (size - 1);
      }
      if (buckets_[bucket] == kNone) {
        buckets_[bucket] = static_cast<uint32_t>(destinations_.size());
        destinations_.push_back({row, index, index});
        current = buckets_[bucket];
        continue;
      }
      current = buckets_[bucket];
    }
    nextRow_[destinations_[current].last] = index;
    destinations_[current].last = index;
  }
}

void BatchSender::sendRow(const TransmitRows& batch, size_t index) {
  const int32_t* const row = batch.row(index);
  PacketCutter cutter(batch, index, isRaw_);
  if (cutter.packetBytes() > kPacketMaximum) {
    sender_.dropTooBig(SocketAddress::fromRow(row + transmit::destinationFamilyPort), cutter.count());
    return;
  }
  while (!cutter.isDone()) {
    const size_t bytes = cutter.packetBytes();
    if (!arena_.hasRoom(cutter.arenaBytes(), cutter.arenaVectors())) flush();
    if (!continuesMessage(row, cutter)) beginMessage(row);
    OutgoingMessage& message = messages_.back();
    if (message.segments == 0) message.segmentSize = bytes;
    message.segments++;
    message.bytes += bytes;
    cutter.cut(arena_);
    message.vectors = arena_.messageVectors();
    message.vectorCount = arena_.messageVectorCount();
    // A shorter packet can only be the last of a super-packet.
    if (bytes < message.segmentSize) openRow_ = nullptr;
    if (isRaw_) sealRawPacket();
  }
}

bool BatchSender::continuesMessage(const int32_t* row, const PacketCutter& cutter) const {
  if (isRaw_ || openRow_ == nullptr || !isSamePath(openRow_, row)) return false;
  const LinkSocket& socket = row[transmit::destinationFamilyPort] >> 16 == 4 ? v4_ : v6_;
  const OutgoingMessage& message = messages_.back();
  return socket.canSegment() && cutter.packetBytes() <= message.segmentSize && message.segments < kSegmentsMaximum &&
         message.bytes + cutter.packetBytes() <= kMessageBytes &&
         message.vectorCount + cutter.arenaVectors() <= kVectorsMaximum;
}

void BatchSender::beginMessage(const int32_t* row) {
  if (messages_.size() == MessageSender::kMessagesPerCall) flush();
  arena_.beginMessage();
  OutgoingMessage message{};
  message.destination = SocketAddress::fromRow(row + transmit::destinationFamilyPort);
  message.source = SocketAddress::fromRow(row + transmit::sourceFamilyPort);
  if (message.source.isUnspecified()) message.source = SocketAddress();
  messages_.push_back(message);
  openRow_ = row;
}

/** The checksum covers the IP source, so the kernel must not choose another one: it is fixed here. */
void BatchSender::sealRawPacket() {
  OutgoingMessage& message = messages_.back();
  message.destination.setPort(0);
  if (message.source.family() == 0) message.source = sources_.towards(message.destination);
  if (message.source.family() == 0) return;
  sealTransportChecksum(message.vectors, message.vectorCount, message.source, message.destination);
}

void BatchSender::flush() {
  if (!messages_.empty()) sender_.send(messages_.data(), messages_.size());
  messages_.clear();
  arena_.reset();
  openRow_ = nullptr;
}

}  // namespace serval
