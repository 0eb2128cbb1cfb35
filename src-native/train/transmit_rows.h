// A batch to transmit as it came over the border, and the check that makes it safe to walk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "row_layout.h"

namespace serval {

struct Piece {
  const uint8_t* bytes;
  size_t length;
};

struct TransmitRows {
  const int32_t* rows;
  size_t count;
  const uint8_t* headers;
  size_t headersLength;
  const Piece* pieces;
  size_t pieceCount;

  const int32_t* row(size_t index) const { return rows + index * transmit::kRowInts; }
};

/** Bytes of the row's only packet, or of each packet of its train but the last. */
inline size_t firstPacketBytes(const int32_t* row) {
  const int32_t payload = row[transmit::payloadLength];
  const int32_t segment = row[transmit::segmentSize];
  const bool isCut = (row[transmit::flags] & transmit::train) != 0 && segment > 0 && payload > segment;
  return static_cast<size_t>(row[transmit::headerLength]) + static_cast<size_t>(isCut ? segment : payload);
}

/** Destination and source stand side by side at the start of a row. */
inline bool isSamePath(const int32_t* a, const int32_t* b) {
  return a == b || std::memcmp(a, b, 2 * kAddressInts * sizeof *a) == 0;
}

/** Says what is wrong with the rows, or nullptr. Behind it nobody checks lengths again. */
const char* findFault(const TransmitRows& batch);

}  // namespace serval
