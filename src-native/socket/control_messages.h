// Ancillary data of sendmsg and recvmsg: which local address, which segment size, which interface.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

#include "socket_address.h"

namespace serval {

/** Enough for packet information of either family, a segment size and an overflow counter. */
constexpr size_t kControlRoom = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int)) * 2 + 32;

union ControlBuffer {
  cmsghdr header;
  unsigned char bytes[kControlRoom];
};

/** Writes what an outgoing message needs and sets msg_control: source (if it has a family) and segment size. */
void writeControl(msghdr& message, ControlBuffer& buffer, const SocketAddress& source, uint16_t segmentSize);

struct ReceivedControl {
  /** The address that an answer may be sent from; without a family when the kernel did not tell. */
  SocketAddress local;
  /** As the IP header had it. */
  SocketAddress destination;
  uint32_t interfaceIndex = 0;
  bool isBroadcast = false;
  /** Of a datagram joined by GRO; 0 for a single one. */
  size_t segmentSize = 0;
  bool hasOverflows = false;
  uint32_t overflows = 0;
};

ReceivedControl readControl(msghdr& message, uint16_t localPort);

}  // namespace serval
