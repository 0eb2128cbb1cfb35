// The Internet checksum (RFC 1071) over bytes that lie in several places.
#pragma once

#include <cstddef>
#include <cstdint>

namespace serval {

class InternetChecksum {
 public:
  /** Adds bytes behind those added before; pieces may be of any length and alignment. */
  void add(const uint8_t* bytes, size_t length);

  /** Adds a 16-bit number, at an even position. */
  void addNumber(uint16_t value);

  /** The checksum, as a number: 0 when the bytes held their own, right checksum. */
  uint16_t finish() const;

 private:
  /** In the machine's byte order, folded to less than 2^32. */
  uint64_t sum_ = 0;
  bool isOdd_ = false;
};

uint16_t internetChecksum(const uint8_t* bytes, size_t length);

}  // namespace serval
