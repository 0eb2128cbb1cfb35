#include "outgoing_message.h"

#include <algorithm>

namespace serval {

bool HeldMessages::push(const OutgoingMessage& message) {
  if (bytes_ + message.bytes > maximumBytes_) return false;
  Held held{{}, message.segments, message.segmentSize, message.destination, message.source};
  held.bytes.reserve(message.bytes);
  for (size_t index = 0; index < message.vectorCount; index++) {
    const auto* const start = static_cast<const uint8_t*>(message.vectors[index].iov_base);
    held.bytes.insert(held.bytes.end(), start, start + message.vectors[index].iov_len);
  }
  bytes_ += message.bytes;
  messages_.push_back(std::move(held));
  return true;
}

OutgoingMessage HeldMessages::at(size_t index, iovec& vector) {
  Held& held = messages_[index];
  vector = {held.bytes.data(), held.bytes.size()};
  return {&vector, 1, held.bytes.size(), held.segments, held.segmentSize, held.destination, held.source};
}

void HeldMessages::pop(size_t count) {
  for (size_t index = 0; index < count; index++) {
    bytes_ -= messages_.front().bytes.size();
    messages_.pop_front();
  }
}

SplitMessage split(const OutgoingMessage& message) {
  SplitMessage result;
  // Reserved in full: the messages hold pointers into it.
  result.vectors.reserve(message.vectorCount + message.segments);
  size_t vector = 0;
  size_t skip = 0;
  size_t left = message.bytes;
  while (left > 0) {
    const size_t packetBytes = std::min(left, message.segmentSize);
    const size_t first = result.vectors.size();
    for (size_t needed = packetBytes; needed > 0;) {
      const iovec& from = message.vectors[vector];
      const size_t part = std::min(needed, from.iov_len - skip);
      result.vectors.push_back({static_cast<uint8_t*>(from.iov_base) + skip, part});
      needed -= part;
      skip += part;
      if (skip == from.iov_len) {
        vector++;
        skip = 0;
      }
    }
    result.packets.push_back({result.vectors.data() + first, result.vectors.size() - first, packetBytes, 1,
                              packetBytes, message.destination, message.source});
    left -= packetBytes;
  }
  return result;
}

}  // namespace serval
