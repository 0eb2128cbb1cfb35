// Reads a TransmitBatch that came as arguments: (rows, count, headers, pieces, pieceSpans, pieceCount).
#pragma once

#include <napi.h>

#include <vector>

#include "../train/transmit_rows.h"

namespace serval {

/** Checked in full. `pieces` is where the batch's pieces stand from then on. On false, an error was thrown. */
bool readTransmitRows(const Napi::CallbackInfo& info, std::vector<Piece>& pieces, TransmitRows& batch);

}  // namespace serval
