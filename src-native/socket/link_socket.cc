#include "link_socket.h"

#include <linux/udp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "socket_address.h"

// linux/udp.h has them from 4.18 and 5.0 on; an older kernel refuses them when asked.
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace serval {

namespace {

bool setFlag(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/** With CAP_NET_ADMIN past the system's limit, otherwise up to it. */
void setBuffer(int fd, int forced, int plain, size_t bytes) {
  if (bytes == 0) return;
  const int size = static_cast<int>(bytes);
  if (!setFlag(fd, SOL_SOCKET, forced, size)) setFlag(fd, SOL_SOCKET, plain, size);
}

}  // namespace

SystemError LinkSocket::open(const LinkSocketOptions& options) {
  const bool isRaw = options.rawProtocol != 0;
  const int domain = options.family == 4 ? AF_INET : AF_INET6;
  const int type = (isRaw ? SOCK_RAW : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  descriptor_ = FileDescriptor(::socket(domain, type, options.rawProtocol));
  if (!isOpen()) return {errno, "socket"};
  family_ = options.family;
  isRaw_ = isRaw;
  SystemError error = setOptions(options);
  if (!error.isError()) error = bind(options.port);
  if (error.isError()) close();
  return error;
}

SystemError LinkSocket::setOptions(const LinkSocketOptions& options) {
  const int fd = descriptor();
  // Before all else: what comes until then is let through.
  if (isRaw_ && options.flowTag.bits > 0 && !attachFlowFilter(fd, options.flowTag, family_)) {
    return {errno, "setsockopt"};
  }
  setBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options.sendBuffer);
  setBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options.receiveBuffer);
  // Lets poll tell an ICMP error from a dead descriptor, and how many datagrams found the buffer full.
  setFlag(fd, SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1);
  setFlag(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  bool isSet;
  if (family_ == 4) {
    // PROBE: DF is set and the kernel's cached path MTU is not asked. RFC 8899 searches above it.
    isSet = setFlag(fd, SOL_SOCKET, SO_BROADCAST, 1) && setFlag(fd, IPPROTO_IP, IP_PKTINFO, 1) &&
            setFlag(fd, IPPROTO_IP, IP_RECVERR, 1) && setFlag(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  } else {
    // A raw IPv6 socket hears IPv6 alone, and refuses to be told so.
    isSet = (isRaw_ || setFlag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) &&
            setFlag(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) && setFlag(fd, IPPROTO_IPV6, IPV6_RECVERR, 1) &&
            setFlag(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
  }
  if (!isSet) return {errno, "setsockopt"};
  canSegment_ = !isRaw_ && options.segmentation && setFlag(fd, IPPROTO_UDP, UDP_SEGMENT, 0);
  if (!isRaw_ && options.aggregation) setFlag(fd, IPPROTO_UDP, UDP_GRO, 1);
  return {};
}

/** Plain and exclusive: a second holder of the port gets EADDRINUSE. */
SystemError LinkSocket::bind(uint16_t port) {
  if (isRaw_) return {};
  SocketAddress address = SocketAddress::any(family_, port);
  if (::bind(descriptor(), address.kernel(), address.kernelLength()) != 0) return {errno, "bind"};
  socklen_t length = SocketAddress::kKernelRoom;
  if (::getsockname(descriptor(), address.kernel(), &length) != 0) return {errno, "getsockname"};
  port_ = address.port();
  return {};
}

size_t LinkSocket::receiveBuffer() const {
  int size = 0;
  socklen_t length = sizeof size;
  if (::getsockopt(descriptor(), SOL_SOCKET, SO_RCVBUF, &size, &length) != 0) return 0;
  return static_cast<size_t>(size);
}

}  // namespace serval
