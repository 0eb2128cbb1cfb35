#include "transmit_rows.h"

#include "wire_format.h"

namespace serval {

namespace {

/** A row counts in 32-bit integers; what is negative or larger than `limit` is out of range. */
bool isWithin(int32_t value, size_t limit) {
  return value >= 0 && static_cast<size_t>(value) <= limit;
}

const char* findFaultOfRow(const TransmitRows& batch, const int32_t* row) {
  const int family = row[transmit::destinationFamilyPort] >> 16;
  if (family != 4 && family != 6) return "a row's destination is neither IPv4 nor IPv6";
  const int sourceFamily = row[transmit::sourceFamilyPort] >> 16;
  if (sourceFamily != 0 && sourceFamily != family) return "a row's source is not of the family of its destination";
  if (!isWithin(row[transmit::headerOffset], batch.headersLength) ||
      !isWithin(row[transmit::headerLength], batch.headersLength - static_cast<size_t>(row[transmit::headerOffset]))) {
    return "a row's header is outside of the batch's headers";
  }
  const bool isTrain = (row[transmit::flags] & transmit::train) != 0;
  const auto headerLength = static_cast<size_t>(row[transmit::headerLength]);
  if (headerLength < (isTrain ? kBareSegmentHeader : 1)) return "a row's header is too short";
  if (!isWithin(row[transmit::firstPiece], batch.pieceCount) ||
      !isWithin(row[transmit::pieceCount], batch.pieceCount - static_cast<size_t>(row[transmit::firstPiece]))) {
    return "a row's pieces are outside of the batch's pieces";
  }
  size_t payload = 0;
  for (int32_t index = 0; index < row[transmit::pieceCount]; index++) {
    payload += batch.pieces[row[transmit::firstPiece] + index].length;
  }
  if (row[transmit::payloadLength] < 0 || payload != static_cast<size_t>(row[transmit::payloadLength])) {
    return "a row's payload length is not the sum of its pieces";
  }
  if (row[transmit::segmentSize] < 0) return "a row's segment size is negative";
  return nullptr;
}

}  // namespace

const char* findFault(const TransmitRows& batch) {
  for (size_t index = 0; index < batch.count; index++) {
    const char* const fault = findFaultOfRow(batch, batch.row(index));
    if (fault != nullptr) return fault;
  }
  return nullptr;
}

}  // namespace serval
