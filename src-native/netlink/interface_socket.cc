#include "interface_socket.h"

#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace serval {

namespace {

/** What the kernel puts into one datagram of a dump at most. */
constexpr size_t kDatagramBytes = 32 * 1024;
/** A dump is answered at once; this is for a kernel that does not answer at all. */
constexpr int kDumpMilliseconds = 1000;

/** Whether a datagram ends the dump with this sequence number; `error` is set when the kernel refused it. */
bool endsDump(const char* bytes, size_t length, uint32_t sequence, int& error) {
  const auto* header = reinterpret_cast<const nlmsghdr*>(bytes);
  for (auto left = static_cast<unsigned>(length); NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
    if (header->nlmsg_seq != sequence) continue;
    if (header->nlmsg_type == NLMSG_DONE) return true;
    if (header->nlmsg_type == NLMSG_ERROR) {
      if (header->nlmsg_len >= NLMSG_LENGTH(sizeof(nlmsgerr))) {
        error = -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
      }
      return true;
    }
  }
  return false;
}

}  // namespace

SystemError InterfaceSocket::open() {
  descriptor_ = FileDescriptor(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!descriptor_.isOpen()) return {errno, "socket"};
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  SystemError error;
  if (::bind(descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    error = {errno, "bind"};
  } else {
    error = refresh();
  }
  if (error.isError()) close();
  return error;
}

SystemError InterfaceSocket::refresh() {
  table_.clear();
  const SystemError error = dump(RTM_GETLINK);
  return error.isError() ? error : dump(RTM_GETADDR);
}

/** The answer comes between news of changes; both go into the table. */
SystemError InterfaceSocket::dump(uint16_t type) {
  struct {
    nlmsghdr header;
    rtgenmsg message;
  } request{};
  request.header.nlmsg_len = NLMSG_LENGTH(sizeof request.message);
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header.nlmsg_seq = ++sequence_;
  request.message.rtgen_family = AF_UNSPEC;
  if (::send(descriptor(), &request, request.header.nlmsg_len, 0) < 0) return {errno, "send"};
  while (true) {
    pollfd wanted = {descriptor(), POLLIN, 0};
    if (::poll(&wanted, 1, kDumpMilliseconds) <= 0) return {ETIMEDOUT, "poll"};
    alignas(nlmsghdr) char bytes[kDatagramBytes];
    const ssize_t length = ::recv(descriptor(), bytes, sizeof bytes, 0);
    if (length < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOBUFS)) continue;
    if (length < 0) return {errno, "recv"};
    table_.apply(bytes, static_cast<size_t>(length));
    int error = 0;
    if (endsDump(bytes, static_cast<size_t>(length), sequence_, error)) return {error, "netlink"};
  }
}

bool InterfaceSocket::read() {
  bool isChanged = false;
  while (true) {
    alignas(nlmsghdr) char bytes[kDatagramBytes];
    const ssize_t length = ::recv(descriptor(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (length >= 0) {
      isChanged |= table_.apply(bytes, static_cast<size_t>(length));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != ENOBUFS) return isChanged;
    // News was lost: only asking again tells how things are.
    refresh();
    isChanged = true;
  }
}

}  // namespace serval
