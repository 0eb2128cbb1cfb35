// Cuts a row into the packets it stands for, as vectors: each has a copy of the header with its own sequence
// number, FIN and PSH stand in the last only. The twin of lib/wire/train-cutter.ts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gather_arena.h"
#include "transmit_rows.h"

namespace serval {

class PacketCutter {
 public:
  /**
   * `wholeTransportHeader`: keep the transport header's fixed fields next to the SAL header even where they
   * come out of the payload, because a checksum will be written there (raw links, forwarded packets).
   */
  PacketCutter(const TransmitRows& batch, size_t row, bool wholeTransportHeader);

  bool isDone() const { return index_ == count_; }
  size_t count() const { return count_; }

  /** Of the packet that `cut` cuts next. */
  size_t packetBytes() const { return headerLength_ + payloadBytes(); }
  size_t arenaBytes() const;
  size_t arenaVectors() const;

  /** Appends the next packet to the arena, which has room for it. */
  void cut(GatherArena& arena);

 private:
  size_t payloadBytes() const;
  bool isCopied(size_t payload) const;
  void number(uint8_t* header) const;
  void copyPayload(uint8_t* target, size_t length);
  void referPayload(GatherArena& arena, size_t length);

  const Piece* piece_;
  size_t skip_ = 0;
  const size_t pieceCount_;
  const uint8_t* const header_;
  const size_t headerLength_;
  const size_t payloadLength_;
  size_t segmentSize_;
  size_t count_;
  size_t index_ = 0;
  /** Payload bytes that go next to the header. */
  size_t headPayload_ = 0;
};

}  // namespace serval
