// An IPv4 or IPv6 address with a port, between its two shapes: five integers of a row, and what the kernel takes.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

namespace serval {

class SocketAddress {
 public:
  SocketAddress() = default;

  /** Reads family << 16 | port and four words. The family is 0 when it is neither 4 nor 6. */
  static SocketAddress fromRow(const int32_t* row);
  static SocketAddress fromKernel(const sockaddr* address);
  static SocketAddress of(const in_addr& ip, uint16_t port);
  static SocketAddress of(const in6_addr& ip, uint16_t port);
  /** The wildcard address of family 4 or 6. */
  static SocketAddress any(int family, uint16_t port);

  void toRow(int32_t* row) const;

  /** 4, 6, or 0 for no address. */
  int family() const;
  uint16_t port() const;
  void setPort(uint16_t port);
  bool isUnspecified() const;
  bool isMulticast() const;
  bool isLinkLocal6() const;
  /** IPv6: the interface that a link-local address is meant on. */
  void setScope(uint32_t interfaceIndex) { address_.v6.sin6_scope_id = interfaceIndex; }

  const sockaddr* kernel() const { return &address_.any; }
  sockaddr* kernel() { return &address_.any; }
  socklen_t kernelLength() const;
  static constexpr socklen_t kKernelRoom = sizeof(sockaddr_in6);

  const in_addr& ip4() const { return address_.v4.sin_addr; }
  const in6_addr& ip6() const { return address_.v6.sin6_addr; }
  /** The address in network order: 4 or 16 bytes. */
  const uint8_t* ipBytes() const;
  size_t ipLength() const;

 private:
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } address_{};
};

}  // namespace serval
