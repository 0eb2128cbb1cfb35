#include "batch_sender.h"

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

}  // namespace

BatchSender::BatchSender(MessageSender& sender, const LinkSocket& v4, const LinkSocket& v6, bool isRaw)
    : sender_(sender), v4_(v4), v6_(v6), isRaw_(isRaw), arena_(kArenaBytes, kArenaVectors) {
  messages_.reserve(MessageSender::kMessagesPerCall);
}

void BatchSender::send(const TransmitRows& batch) {
  const bool hasSuperPackets = !isRaw_ && (v4_.canSegment() || v6_.canSegment());
  for (const uint32_t row : order_.of(batch, hasSuperPackets)) sendRow(batch, row);
  flush();
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
