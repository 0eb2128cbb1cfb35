// One datagram on its way to the kernel: vectors, and the size to cut it to when it is a super-packet.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "socket_address.h"

namespace serval {

struct OutgoingMessage {
  iovec* vectors;
  size_t vectorCount;
  size_t bytes;
  /** Packets in it, each of `segmentSize` bytes but the last, which may be shorter. */
  size_t segments;
  size_t segmentSize;
  SocketAddress destination;
  /** Family 0: the kernel chooses. */
  SocketAddress source;
};

/** Messages that wait for a full socket, copied. Bounded: a peer that stops must not eat the memory. */
class HeldMessages {
 public:
  explicit HeldMessages(size_t maximumBytes) : maximumBytes_(maximumBytes) {}

  bool isEmpty() const { return messages_.empty(); }
  size_t bytes() const { return bytes_; }
  size_t count() const { return messages_.size(); }

  /** Copies the message to the end; false when that is too much. */
  bool push(const OutgoingMessage& message);
  /** Message `index` from the front, valid until the next push or pop. `vector` is where it gathers from. */
  OutgoingMessage at(size_t index, iovec& vector);
  void pop(size_t count);

 private:
  struct Held {
    std::vector<uint8_t> bytes;
    size_t segments;
    size_t segmentSize;
    SocketAddress destination;
    SocketAddress source;
  };

  const size_t maximumBytes_;
  size_t bytes_ = 0;
  std::deque<Held> messages_;
};

/** The packets of a super-packet as messages of their own. Vectors point where those of the whole do. */
struct SplitMessage {
  std::vector<iovec> vectors;
  std::vector<OutgoingMessage> packets;
};
SplitMessage split(const OutgoingMessage& message);

}  // namespace serval
