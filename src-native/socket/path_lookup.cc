#include "path_lookup.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <ctime>

namespace serval {

namespace {

constexpr size_t kSourcesMaximum = 4096;
/** connect wants some port; none is ever sent to. */
constexpr uint16_t kAnyPort = 9;

FileDescriptor connectedTo(SocketAddress destination) {
  const int domain = destination.family() == 4 ? AF_INET : AF_INET6;
  FileDescriptor descriptor(::socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!descriptor.isOpen()) return descriptor;
  const int on = 1;
  ::setsockopt(descriptor.number(), SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  destination.setPort(kAnyPort);
  if (::connect(descriptor.number(), destination.kernel(), destination.kernelLength()) != 0) descriptor.close();
  return descriptor;
}

}  // namespace

uint32_t pathMtu(const SocketAddress& destination) {
  const FileDescriptor descriptor = connectedTo(destination);
  if (!descriptor.isOpen()) return 0;
  int mtu = 0;
  socklen_t length = sizeof mtu;
  const bool is4 = destination.family() == 4;
  const int failed = ::getsockopt(descriptor.number(), is4 ? IPPROTO_IP : IPPROTO_IPV6, is4 ? IP_MTU : IPV6_MTU,
                                  &mtu, &length);
  return failed == 0 && mtu > 0 ? static_cast<uint32_t>(mtu) : 0;
}

SocketAddress sourceTowards(const SocketAddress& destination) {
  const FileDescriptor descriptor = connectedTo(destination);
  SocketAddress source;
  socklen_t length = SocketAddress::kKernelRoom;
  if (!descriptor.isOpen() || ::getsockname(descriptor.number(), source.kernel(), &length) != 0) return {};
  source.setPort(0);
  return source;
}

const SocketAddress& SourceCache::towards(const SocketAddress& destination) {
  forgetOld();
  const std::string key(reinterpret_cast<const char*>(destination.ipBytes()), destination.ipLength());
  const auto found = sources_.find(key);
  if (found != sources_.end()) return found->second;
  if (sources_.size() >= kSourcesMaximum) sources_.clear();
  return sources_[key] = sourceTowards(destination);
}

void SourceCache::forgetOld() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  if (now.tv_sec != second_) sources_.clear();
  second_ = now.tv_sec;
}

}  // namespace serval
