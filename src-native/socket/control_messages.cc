#include "control_messages.h"

#include <linux/udp.h>

#include <cstring>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace serval {

namespace {

template <typename Value>
cmsghdr* append(msghdr& message, cmsghdr* at, int level, int type, const Value& value) {
  at->cmsg_level = level;
  at->cmsg_type = type;
  at->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(at), &value, sizeof value);
  message.msg_controllen += CMSG_SPACE(sizeof value);
  return reinterpret_cast<cmsghdr*>(reinterpret_cast<unsigned char*>(at) + CMSG_SPACE(sizeof value));
}

template <typename Value>
Value valueOf(const cmsghdr* header) {
  Value value{};
  std::memcpy(&value, CMSG_DATA(header), sizeof value);
  return value;
}

void readPacketInformation(const in_pktinfo& information, uint16_t localPort, ReceivedControl& control) {
  control.local = SocketAddress::of(information.ipi_spec_dst, localPort);
  control.destination = SocketAddress::of(information.ipi_addr, localPort);
  control.interfaceIndex = static_cast<uint32_t>(information.ipi_ifindex);
  // The address to answer from is another than the one that was addressed: broadcast or multicast.
  control.isBroadcast = information.ipi_addr.s_addr != information.ipi_spec_dst.s_addr;
}

void readPacketInformation(const in6_pktinfo& information, uint16_t localPort, ReceivedControl& control) {
  control.destination = SocketAddress::of(information.ipi6_addr, localPort);
  control.interfaceIndex = static_cast<uint32_t>(information.ipi6_ifindex);
  control.isBroadcast = control.destination.isMulticast();
  control.local = control.isBroadcast ? SocketAddress::any(6, localPort) : control.destination;
}

}  // namespace

void writeControl(msghdr& message, ControlBuffer& buffer, const SocketAddress& source, uint16_t segmentSize) {
  message.msg_control = &buffer;
  message.msg_controllen = 0;
  cmsghdr* at = &buffer.header;
  if (source.family() == 4) {
    in_pktinfo information{};
    information.ipi_spec_dst = source.ip4();
    at = append(message, at, IPPROTO_IP, IP_PKTINFO, information);
  } else if (source.family() == 6) {
    in6_pktinfo information{};
    information.ipi6_addr = source.ip6();
    at = append(message, at, IPPROTO_IPV6, IPV6_PKTINFO, information);
  }
  if (segmentSize > 0) append(message, at, IPPROTO_UDP, UDP_SEGMENT, segmentSize);
  if (message.msg_controllen == 0) message.msg_control = nullptr;
}

ReceivedControl readControl(msghdr& message, uint16_t localPort) {
  ReceivedControl control;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    const int level = header->cmsg_level;
    const int type = header->cmsg_type;
    if (level == IPPROTO_IP && type == IP_PKTINFO) {
      readPacketInformation(valueOf<in_pktinfo>(header), localPort, control);
    } else if (level == IPPROTO_IPV6 && type == IPV6_PKTINFO) {
      readPacketInformation(valueOf<in6_pktinfo>(header), localPort, control);
    } else if (level == IPPROTO_UDP && type == UDP_GRO) {
      control.segmentSize = static_cast<size_t>(valueOf<int>(header));
    } else if (level == SOL_SOCKET && type == SO_RXQ_OVFL) {
      control.hasOverflows = true;
      control.overflows = valueOf<uint32_t>(header);
    }
  }
  return control;
}

}  // namespace serval
