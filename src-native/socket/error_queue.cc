#include "error_queue.h"

// clang-format off: time.h first, linux/errqueue.h needs struct timespec.
#include <ctime>
#include <linux/errqueue.h>
// clang-format on
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "control_messages.h"

namespace serval {

namespace {

/** Events not yet told; more in one turn say nothing new. */
constexpr size_t kEventsMaximum = 256;
/** Entries read in one go, so that a flood of ICMP cannot hold the loop. */
constexpr int kEntriesMaximum = 256;

bool isUnreachable4(const sock_extended_err& error) {
  if (error.ee_type != ICMP_DEST_UNREACH) return false;
  return error.ee_code == ICMP_PORT_UNREACH || error.ee_code == ICMP_PROT_UNREACH ||
         error.ee_code == ICMP_HOST_UNREACH || error.ee_code == ICMP_HOST_UNKNOWN;
}

bool isUnreachable6(const sock_extended_err& error) {
  if (error.ee_type == ICMPV6_PARAMPROB) return error.ee_code == ICMPV6_UNK_NEXTHDR;
  if (error.ee_type != ICMPV6_DEST_UNREACH) return false;
  return error.ee_code == ICMPV6_PORT_UNREACH || error.ee_code == ICMPV6_ADDR_UNREACH;
}

void tell(const sock_extended_err& error, const SocketAddress& address, NetworkEvents& events) {
  // What the kernel itself refused came back from sendmsg already, with the whole address.
  if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) return;
  const bool is4 = error.ee_origin == SO_EE_ORIGIN_ICMP;
  if (error.ee_errno == EMSGSIZE) {
    events.add(NetworkEvent::packetTooBig, address, error.ee_info);
  } else if (is4 ? isUnreachable4(error) : isUnreachable6(error)) {
    events.add(NetworkEvent::unreachable, address);
  }
}

}  // namespace

void NetworkEvents::add(NetworkEvent::Kind kind, const SocketAddress& address, uint32_t mtu) {
  for (const NetworkEvent& event : events_) {
    if (event.kind == kind && event.mtu == mtu &&
        std::memcmp(event.address.kernel(), address.kernel(), SocketAddress::kKernelRoom) == 0) {
      return;
    }
  }
  if (events_.size() < kEventsMaximum) events_.push_back({kind, address, mtu});
}

std::vector<NetworkEvent> NetworkEvents::take() {
  std::vector<NetworkEvent> taken;
  taken.swap(events_);
  return taken;
}

void drainErrorQueue(const LinkSocket& socket, NetworkEvents& events, Statistics& statistics) {
  for (int entry = 0; entry < kEntriesMaximum; entry++) {
    SocketAddress address;
    unsigned char payload[1];
    iovec vector = {payload, sizeof payload};
    union {
      cmsghdr header;
      unsigned char bytes[512];
    } control;
    msghdr message{};
    message.msg_name = address.kernel();
    message.msg_namelen = SocketAddress::kKernelRoom;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    if (::recvmsg(socket.descriptor(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) break;
    statistics.networkErrors++;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      const bool isError = (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
                           (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR);
      if (!isError || address.family() == 0) continue;
      sock_extended_err error;
      std::memcpy(&error, CMSG_DATA(header), sizeof error);
      if (socket.isRaw()) address.setPort(0);
      tell(error, address, events);
    }
  }
  // An error without an entry would wake the loop again and again: reading it clears it.
  int pending = 0;
  socklen_t length = sizeof pending;
  ::getsockopt(socket.descriptor(), SOL_SOCKET, SO_ERROR, &pending, &length);
}

}  // namespace serval
