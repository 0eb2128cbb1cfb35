// When polling instead of sleeping pays: for a bounded time after traffic, and, once it has not paid several
// times in a row, only now and then. Knows no clock and no loop; times are nanoseconds of the caller's.
#pragma once

#include <cstdint>

namespace serval {

class SpinPolicy {
 public:
  /** So many spins in a row without a packet, and spinning is suspended. */
  static constexpr int kMissesMaximum = 8;
  /** A suspension ends with one spin on trial; each that fails doubles the next, from the first to the last. */
  static constexpr uint64_t kSuspensionMinimum = 1'000'000;
  static constexpr uint64_t kSuspensionMaximum = 128'000'000;

  /** 0: never spins. */
  explicit SpinPolicy(uint64_t bound) : bound_(bound) {}

  bool isEnabled() const { return bound_ > 0; }
  bool isSpinning() const { return isSpinning_; }

  /** Packets were sent: an answer may be near. Whether to spin from now on. */
  bool sent(uint64_t now) { return begin(now); }

  /** Packets have come, while spinning or not. Whether to spin from now on. */
  bool received(uint64_t now) {
    if (isSpinning_) {
      misses_ = 0;
      suspension_ = kSuspensionMinimum;
    }
    return begin(now);
  }

  /** To be asked on every turn of a spin: whether it ends here, without a packet. */
  bool isOver(uint64_t now) {
    if (!isSpinning_) return true;
    if (now < deadline_) return false;
    isSpinning_ = false;
    if (misses_ < kMissesMaximum) misses_++;
    if (misses_ == kMissesMaximum) {
      suspendedUntil_ = now + suspension_;
      suspension_ = suspension_ < kSuspensionMaximum ? suspension_ * 2 : kSuspensionMaximum;
    }
    return true;
  }

 private:
  bool begin(uint64_t now) {
    if (bound_ == 0 || now < suspendedUntil_) return false;
    deadline_ = now + bound_;
    isSpinning_ = true;
    return true;
  }

  const uint64_t bound_;
  bool isSpinning_ = false;
  int misses_ = 0;
  uint64_t deadline_ = 0;
  uint64_t suspendedUntil_ = 0;
  uint64_t suspension_ = kSuspensionMinimum;
};

}  // namespace serval
