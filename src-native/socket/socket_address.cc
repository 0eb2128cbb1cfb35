#include "socket_address.h"

#include <cstring>

namespace serval {

SocketAddress SocketAddress::fromRow(const int32_t* row) {
  const int family = row[0] >> 16;
  const auto port = static_cast<uint16_t>(row[0] & 0xffff);
  if (family == 4) {
    in_addr ip;
    ip.s_addr = htonl(static_cast<uint32_t>(row[1]));
    return of(ip, port);
  }
  if (family != 6) return SocketAddress();
  in6_addr ip;
  for (int index = 0; index < 4; index++) {
    const uint32_t word = htonl(static_cast<uint32_t>(row[1 + index]));
    std::memcpy(&ip.s6_addr[index * 4], &word, sizeof word);
  }
  return of(ip, port);
}

SocketAddress SocketAddress::fromKernel(const sockaddr* address) {
  SocketAddress result;
  if (address->sa_family == AF_INET) std::memcpy(&result.address_.v4, address, sizeof(sockaddr_in));
  if (address->sa_family == AF_INET6) std::memcpy(&result.address_.v6, address, sizeof(sockaddr_in6));
  return result;
}

SocketAddress SocketAddress::of(const in_addr& ip, uint16_t port) {
  SocketAddress result;
  result.address_.v4.sin_family = AF_INET;
  result.address_.v4.sin_port = htons(port);
  result.address_.v4.sin_addr = ip;
  return result;
}

SocketAddress SocketAddress::of(const in6_addr& ip, uint16_t port) {
  SocketAddress result;
  result.address_.v6.sin6_family = AF_INET6;
  result.address_.v6.sin6_port = htons(port);
  result.address_.v6.sin6_addr = ip;
  return result;
}

SocketAddress SocketAddress::any(int family, uint16_t port) {
  return family == 4 ? of(in_addr{htonl(INADDR_ANY)}, port) : of(in6addr_any, port);
}

void SocketAddress::toRow(int32_t* row) const {
  row[0] = family() << 16 | port();
  row[1] = row[2] = row[3] = row[4] = 0;
  for (size_t index = 0; index < ipLength() / 4; index++) {
    uint32_t word;
    std::memcpy(&word, ipBytes() + index * 4, sizeof word);
    row[1 + index] = static_cast<int32_t>(ntohl(word));
  }
}

int SocketAddress::family() const {
  if (address_.any.sa_family == AF_INET) return 4;
  return address_.any.sa_family == AF_INET6 ? 6 : 0;
}

uint16_t SocketAddress::port() const {
  // sin_port and sin6_port stand at the same place.
  return ntohs(address_.v4.sin_port);
}

void SocketAddress::setPort(uint16_t port) {
  address_.v4.sin_port = htons(port);
}

bool SocketAddress::isUnspecified() const {
  const uint8_t* const bytes = ipBytes();
  for (size_t index = 0; index < ipLength(); index++) {
    if (bytes[index] != 0) return false;
  }
  return true;
}

bool SocketAddress::isMulticast() const {
  if (family() == 4) return (ipBytes()[0] & 0xf0) == 0xe0;
  return family() == 6 && ipBytes()[0] == 0xff;
}

bool SocketAddress::isLinkLocal6() const {
  if (family() != 6) return false;
  return IN6_IS_ADDR_LINKLOCAL(&ip6()) || IN6_IS_ADDR_MC_LINKLOCAL(&ip6());
}

socklen_t SocketAddress::kernelLength() const {
  if (family() == 4) return sizeof(sockaddr_in);
  return family() == 6 ? sizeof(sockaddr_in6) : 0;
}

const uint8_t* SocketAddress::ipBytes() const {
  if (family() == 4) return reinterpret_cast<const uint8_t*>(&address_.v4.sin_addr);
  return reinterpret_cast<const uint8_t*>(&address_.v6.sin6_addr);
}

size_t SocketAddress::ipLength() const {
  if (family() == 4) return 4;
  return family() == 6 ? 16 : 0;
}

}  // namespace serval
