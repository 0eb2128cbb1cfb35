#include "interface_table.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cstring>
#include <utility>

namespace serval {

namespace {

/** Calls `take(type, data, length)` for each attribute. */
template <typename Take>
void eachAttribute(const void* first, size_t length, Take take) {
  const auto* attribute = static_cast<const rtattr*>(first);
  for (auto left = static_cast<unsigned>(length); RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    take(attribute->rta_type, RTA_DATA(attribute), static_cast<size_t>(RTA_PAYLOAD(attribute)));
  }
}

uint32_t toUint32(const void* data, size_t length) {
  uint32_t value = 0;
  if (length == sizeof value) std::memcpy(&value, data, sizeof value);
  return value;
}

SocketAddress toAddress(int family, const void* data, size_t length) {
  if (family == AF_INET && length == sizeof(in_addr)) {
    in_addr ip;
    std::memcpy(&ip, data, sizeof ip);
    return SocketAddress::of(ip, 0);
  }
  if (family == AF_INET6 && length == sizeof(in6_addr)) {
    in6_addr ip;
    std::memcpy(&ip, data, sizeof ip);
    return SocketAddress::of(ip, 0);
  }
  return {};
}

/** The kernel routes a subnet's last address as broadcast, whether or not somebody configured it as such. */
SocketAddress broadcastOf(const SocketAddress& address, uint32_t prefixBits) {
  if (address.family() != 4 || prefixBits == 0 || prefixBits >= 31) return {};
  in_addr ip = address.ip4();
  ip.s_addr |= htonl(0xffffffffu >> prefixBits);
  return SocketAddress::of(ip, 0);
}

}  // namespace

bool InterfaceTable::apply(const void* bytes, size_t length) {
  bool isChanged = false;
  const auto* header = static_cast<const nlmsghdr*>(bytes);
  for (auto left = static_cast<unsigned>(length); NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
    if (header->nlmsg_type == RTM_NEWLINK || header->nlmsg_type == RTM_DELLINK) isChanged |= applyLink(*header);
    if (header->nlmsg_type == RTM_NEWADDR || header->nlmsg_type == RTM_DELADDR) isChanged |= applyAddress(*header);
  }
  return isChanged;
}

void InterfaceTable::clear() {
  links_.clear();
  addresses_.clear();
}

bool InterfaceTable::applyLink(const nlmsghdr& header) {
  if (header.nlmsg_len < NLMSG_LENGTH(sizeof(ifinfomsg))) return false;
  const auto* const message = static_cast<const ifinfomsg*>(NLMSG_DATA(&header));
  // Bridges tell of their ports in the same words.
  if (message->ifi_family == AF_BRIDGE) return false;
  const auto index = static_cast<uint32_t>(message->ifi_index);
  if (header.nlmsg_type == RTM_DELLINK) return links_.erase(index) > 0;
  Link& link = links_[index];
  link.flags = message->ifi_flags;
  eachAttribute(IFLA_RTA(message), IFLA_PAYLOAD(&header), [&link](int type, const void* data, size_t length) {
    const auto* const text = static_cast<const char*>(data);
    if (type == IFLA_IFNAME) link.name.assign(text, strnlen(text, length));
    if (type == IFLA_MTU) link.mtu = toUint32(data, length);
  });
  return true;
}

bool InterfaceTable::applyAddress(const nlmsghdr& header) {
  if (header.nlmsg_len < NLMSG_LENGTH(sizeof(ifaddrmsg))) return false;
  const auto* const message = static_cast<const ifaddrmsg*>(NLMSG_DATA(&header));
  Address entry;
  SocketAddress local;
  uint32_t flags = message->ifa_flags;
  entry.prefixBits = message->ifa_prefixlen;
  eachAttribute(IFA_RTA(message), IFA_PAYLOAD(&header), [&](int type, const void* data, size_t length) {
    if (type == IFA_ADDRESS) entry.address = toAddress(message->ifa_family, data, length);
    if (type == IFA_LOCAL) local = toAddress(message->ifa_family, data, length);
    if (type == IFA_BROADCAST) entry.broadcast = toAddress(message->ifa_family, data, length);
    if (type == IFA_FLAGS) flags = toUint32(data, length);
  });
  // Point to point, IFA_ADDRESS is the other end and IFA_LOCAL this one.
  if (local.family() != 0) entry.address = local;
  if (entry.address.family() == 0) return false;
  const std::string key(reinterpret_cast<const char*>(entry.address.ipBytes()), entry.address.ipLength());
  const std::pair<uint32_t, std::string> place(message->ifa_index, key);
  if (header.nlmsg_type == RTM_DELADDR) return addresses_.erase(place) > 0;
  const bool isTentative = (flags & IFA_F_TENTATIVE) != 0 && (flags & IFA_F_OPTIMISTIC) == 0;
  entry.isReady = !isTentative && (flags & IFA_F_DADFAILED) == 0;
  addresses_[place] = entry;
  return true;
}

std::vector<InterfaceAddress> InterfaceTable::usable() const {
  std::vector<InterfaceAddress> result;
  for (const auto& [place, entry] : addresses_) {
    const auto found = links_.find(place.first);
    if (found == links_.end() || !entry.isReady) continue;
    const Link& link = found->second;
    if ((link.flags & IFF_UP) == 0 || (link.flags & IFF_RUNNING) == 0) continue;
    SocketAddress broadcast;
    if ((link.flags & IFF_BROADCAST) != 0) {
      broadcast = entry.broadcast.family() != 0 ? entry.broadcast : broadcastOf(entry.address, entry.prefixBits);
    }
    result.push_back({link.name, place.first, entry.address, entry.prefixBits, broadcast, link.mtu,
                      (link.flags & IFF_LOOPBACK) != 0});
  }
  return result;
}

}  // namespace serval
