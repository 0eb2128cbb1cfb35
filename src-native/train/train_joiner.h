// Fills the rows of a receive burst: joins consecutive in-order data segments of one flow into one row, with
// their payload side by side in the slab. The twin of lib/wire/train-joiner.ts, tested with the same vectors.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../socket/socket_address.h"
#include "row_layout.h"

namespace serval {

/** Where a datagram came from and went to, in the shape of a row. */
struct Origin {
  SocketAddress source;
  SocketAddress local;
  int32_t sourceRow[kAddressInts];
  int32_t localRow[kAddressInts];
  int32_t flags = 0;

  void set(const SocketAddress& from, const SocketAddress& to, int32_t rowFlags);
};

/** Why a packet was dropped; the names stand in lib/wire/wire-error.ts. */
enum class Refusal { none, truncated, badCheck, tcpTruncated, tcpHeaderLength, badTransportChecksum };

class TrainJoiner {
 public:
  /** `transportChecksums`: verify TCP's checksum, on raw links, where no outer checksum covers it. */
  explicit TrainJoiner(bool transportChecksums) : transportChecksums_(transportChecksums) {}

  /** Starts a burst: rows from 0, bytes from `start` to `end` of the slab. */
  void begin(int32_t* rows, size_t capacity, uint8_t* slab, size_t start, size_t end);

  /** Takes a packet that lies anywhere. There must be room for a row and for its bytes. */
  Refusal append(const Origin& origin, const uint8_t* packet, size_t length);

  /**
   * Takes a segment with a bare 32-byte header, whose payload may already stand where it belongs (`end()`),
   * and then is not copied.
   */
  Refusal appendBareSegment(const Origin& origin, const uint8_t* header, const uint8_t* payload, size_t length);

  size_t count() const { return count_; }
  size_t rowsLeft() const { return capacity_ - count_; }
  size_t bytesLeft() const { return slabEnd_ - used_; }
  /** Where the next payload goes. */
  uint8_t* end() const { return slab_ + used_; }
  size_t used() const { return used_; }

 private:
  struct Segment {
    const uint8_t* header;
    const uint8_t* payload;
    size_t payloadLength;
    size_t optionsLength;
    const uint8_t* tcp() const;
  };

  void appendPacketRow(const Origin& origin, const uint8_t* packet, size_t length);
  void appendSegment(const Origin& origin, const Segment& segment);
  bool joins(const Origin& origin, const Segment& segment) const;
  int32_t* startRow(const Origin& origin, const uint8_t* header);
  size_t store(const uint8_t* bytes, size_t length);

  const bool transportChecksums_;
  int32_t* rows_ = nullptr;
  size_t capacity_ = 0;
  size_t count_ = 0;
  uint8_t* slab_ = nullptr;
  size_t used_ = 0;
  size_t slabEnd_ = 0;
  /** The last row, while it is a train that may go on. */
  int32_t* open_ = nullptr;
};

}  // namespace serval
