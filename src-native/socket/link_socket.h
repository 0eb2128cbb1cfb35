// Opens one socket of a link - UDP, or raw IP with protocol 144 - and sets all that the link relies on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "file_descriptor.h"
#include "flow_filter.h"

namespace serval {

/** An operation that the kernel refused; `error` is 0 when it did not. */
struct SystemError {
  int error = 0;
  const char* call = "";
  bool isError() const { return error != 0; }
};

struct LinkSocketOptions {
  /** 4 or 6. */
  int family = 4;
  /** 0 for UDP, else the IP protocol of a raw socket. */
  int rawProtocol = 0;
  uint16_t port = 0;
  size_t sendBuffer = 0;
  size_t receiveBuffer = 0;
  /** Use UDP_SEGMENT and UDP_GRO where the kernel has them. */
  bool segmentation = true;
  bool aggregation = true;
  /** Raw: packets of flows without this tag are not for us. */
  FlowTag flowTag;
};

class LinkSocket {
 public:
  /** Opens and binds to the wildcard address. On failure nothing stays open. */
  SystemError open(const LinkSocketOptions& options);
  void close() {
    descriptor_.close();
    port_ = 0;
  }

  bool isOpen() const { return descriptor_.isOpen(); }
  int descriptor() const { return descriptor_.number(); }
  int family() const { return family_; }
  bool isRaw() const { return isRaw_; }
  uint16_t port() const { return port_; }
  /** Bytes that the kernel granted, by its own accounting. */
  size_t receiveBuffer() const;

  /** Whether super-packets may be sent. A device that cannot turns it off for good. */
  bool canSegment() const { return canSegment_; }
  void stopSegmenting() { canSegment_ = false; }

 private:
  SystemError setOptions(const LinkSocketOptions& options);
  SystemError bind(uint16_t port);

  FileDescriptor descriptor_;
  int family_ = 4;
  bool isRaw_ = false;
  bool canSegment_ = false;
  uint16_t port_ = 0;
};

}  // namespace serval
