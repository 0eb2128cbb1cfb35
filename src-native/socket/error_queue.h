// Reads what the network said about packets sent before: ICMP errors, from a socket's error queue.
#pragma once

#include <cstdint>
#include <vector>

#include "link_socket.h"
#include "socket_address.h"
#include "statistics.h"

namespace serval {

/** Something that happened to packets for `address`, for the link's handler. */
struct NetworkEvent {
  enum Kind { unreachable, packetTooBig };
  Kind kind;
  SocketAddress address;
  /** packetTooBig: IP MTU in bytes. */
  uint32_t mtu;
};

/** Events to be told, without repetition: a burst of the same is one. */
class NetworkEvents {
 public:
  void add(NetworkEvent::Kind kind, const SocketAddress& address, uint32_t mtu = 0);
  bool isEmpty() const { return events_.empty(); }
  std::vector<NetworkEvent> take();

 private:
  std::vector<NetworkEvent> events_;
};

void drainErrorQueue(const LinkSocket& socket, NetworkEvents& events, Statistics& statistics);

}  // namespace serval
