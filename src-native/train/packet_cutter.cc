#include "packet_cutter.h"

#include <algorithm>
#include <cstring>

#include "wire_format.h"

namespace serval {

namespace {

/** A payload up to this size is cheaper to copy behind its header than to have a vector of its own. */
constexpr size_t kCopiedPayload = 256;
/** More pieces in one row than this: its packets are copied, for vectors are bounded. */
constexpr size_t kReferredPieces = 64;

}  // namespace

PacketCutter::PacketCutter(const TransmitRows& batch, size_t index, bool wholeTransportHeader)
    : piece_(batch.pieces + batch.row(index)[transmit::firstPiece]),
      pieceCount_(static_cast<size_t>(batch.row(index)[transmit::pieceCount])),
      header_(batch.headers + batch.row(index)[transmit::headerOffset]),
      headerLength_(static_cast<size_t>(batch.row(index)[transmit::headerLength])),
      payloadLength_(static_cast<size_t>(batch.row(index)[transmit::payloadLength])) {
  const int32_t* const row = batch.row(index);
  const auto segmentSize = static_cast<size_t>(row[transmit::segmentSize]);
  const bool isCut = (row[transmit::flags] & transmit::train) != 0 && segmentSize > 0 && payloadLength_ > segmentSize;
  segmentSize_ = isCut ? segmentSize : payloadLength_;
  count_ = isCut ? (payloadLength_ + segmentSize - 1) / segmentSize : 1;
  if (wholeTransportHeader && headerLength_ >= kSalHeaderBytes) {
    const size_t wanted = salHeaderLength(header_) + kTcpHeaderBytes;
    headPayload_ = wanted > headerLength_ ? wanted - headerLength_ : 0;
  }
}

size_t PacketCutter::payloadBytes() const {
  return index_ + 1 == count_ ? payloadLength_ - index_ * segmentSize_ : segmentSize_;
}

bool PacketCutter::isCopied(size_t payload) const {
  return payload <= kCopiedPayload || pieceCount_ > kReferredPieces;
}

size_t PacketCutter::arenaBytes() const {
  const size_t payload = payloadBytes();
  return headerLength_ + (isCopied(payload) ? payload : std::min(headPayload_, payload));
}

size_t PacketCutter::arenaVectors() const {
  return 1 + (isCopied(payloadBytes()) ? 0 : pieceCount_);
}

void PacketCutter::cut(GatherArena& arena) {
  const size_t payload = payloadBytes();
  const size_t copied = isCopied(payload) ? payload : std::min(headPayload_, payload);
  uint8_t* const at = arena.allocate(headerLength_ + copied);
  std::memcpy(at, header_, headerLength_);
  if (count_ > 1) number(at);
  copyPayload(at + headerLength_, copied);
  referPayload(arena, payload - copied);
  index_++;
}

void PacketCutter::number(uint8_t* header) const {
  uint8_t* const tcp = header + kSalHeaderBytes;
  writeUint32(tcp + kTcpSequence, readUint32(tcp + kTcpSequence) + static_cast<uint32_t>(index_ * segmentSize_));
  if (index_ + 1 < count_) tcp[kTcpFlags] &= static_cast<uint8_t>(~(kFin | kPsh));
}

void PacketCutter::copyPayload(uint8_t* target, size_t length) {
  while (length > 0) {
    const size_t part = std::min(piece_->length - skip_, length);
    std::memcpy(target, piece_->bytes + skip_, part);
    target += part;
    length -= part;
    skip_ += part;
    if (skip_ == piece_->length) {
      piece_++;
      skip_ = 0;
    }
  }
}

void PacketCutter::referPayload(GatherArena& arena, size_t length) {
  while (length > 0) {
    const size_t part = std::min(piece_->length - skip_, length);
    if (part > 0) arena.refer(piece_->bytes + skip_, part);
    length -= part;
    skip_ += part;
    if (skip_ == piece_->length) {
      piece_++;
      skip_ = 0;
    }
  }
}

}  // namespace serval
