// A batch to transmit as it came over the border, and the check that makes it safe to walk.
#pragma once

#include <cstddef>
#include <cstdint>

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

/** Says what is wrong with the rows, or nullptr. Behind it nobody checks lengths again. */
const char* findFault(const TransmitRows& batch);

}  // namespace serval
