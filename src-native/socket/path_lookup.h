// What the kernel's routing knows about a destination, asked with a connected UDP socket that sends nothing.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "link_socket.h"
#include "socket_address.h"

namespace serval {

/** The IP MTU towards `destination` in bytes; 0 when there is no route. */
uint32_t pathMtu(const SocketAddress& destination);

/** The local address that packets to `destination` leave from; family 0 when there is no route. */
SocketAddress sourceTowards(const SocketAddress& destination);

/** Remembers sources. Bounded, and forgotten every second: addresses and routes change without a word to us. */
class SourceCache {
 public:
  const SocketAddress& towards(const SocketAddress& destination);
  void clear() { sources_.clear(); }

 private:
  void forgetOld();

  int64_t second_ = 0;
  std::unordered_map<std::string, SocketAddress> sources_;
};

}  // namespace serval
