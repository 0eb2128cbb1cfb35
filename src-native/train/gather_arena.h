// Room for what one system call sends: numbered headers, small payloads copied behind them, and the vectors
// that point there and into the caller's payload. Of fixed size, used again and again.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace serval {

class GatherArena {
 public:
  GatherArena(size_t byteCapacity, size_t vectorCapacity)
      : byteCapacity_(byteCapacity),
        vectorCapacity_(vectorCapacity),
        bytes_(new uint8_t[byteCapacity]),
        vectors_(new iovec[vectorCapacity]) {}

  void reset() { byteCount_ = vectorCount_ = firstVector_ = 0; }

  bool hasRoom(size_t bytes, size_t vectors) const {
    return byteCount_ + bytes <= byteCapacity_ && vectorCount_ + vectors <= vectorCapacity_;
  }

  /** Vectors from here on belong to another message than those before. */
  void beginMessage() { firstVector_ = vectorCount_; }
  iovec* messageVectors() const { return vectors_.get() + firstVector_; }
  size_t messageVectorCount() const { return vectorCount_ - firstVector_; }

  /** Room for `length` bytes, as a vector of its own or at the end of the one that ends right before. */
  uint8_t* allocate(size_t length) {
    uint8_t* const at = bytes_.get() + byteCount_;
    byteCount_ += length;
    if (vectorCount_ > firstVector_) {
      iovec& last = vectors_[vectorCount_ - 1];
      if (static_cast<uint8_t*>(last.iov_base) + last.iov_len == at) {
        last.iov_len += length;
        return at;
      }
    }
    refer(at, length);
    return at;
  }

  void refer(const uint8_t* bytes, size_t length) {
    vectors_[vectorCount_++] = {const_cast<uint8_t*>(bytes), length};
  }

 private:
  const size_t byteCapacity_;
  const size_t vectorCapacity_;
  const std::unique_ptr<uint8_t[]> bytes_;
  const std::unique_ptr<iovec[]> vectors_;
  size_t byteCount_ = 0;
  size_t vectorCount_ = 0;
  size_t firstVector_ = 0;
};

}  // namespace serval
