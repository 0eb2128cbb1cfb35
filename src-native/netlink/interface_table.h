// The interfaces and addresses of this host, as netlink tells them and changes them.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "../socket/socket_address.h"

namespace serval {

/** One usable address of one interface that is up and running. */
struct InterfaceAddress {
  std::string name;
  uint32_t index;
  SocketAddress address;
  uint32_t prefixBits;
  /** Without a family when the interface has none. */
  SocketAddress broadcast;
  uint32_t mtu;
  bool isLoopback;
};

class InterfaceTable {
 public:
  /** Takes every message in a netlink datagram. True when something may have changed. */
  bool apply(const void* bytes, size_t length);
  void clear();

  std::vector<InterfaceAddress> usable() const;

 private:
  struct Link {
    std::string name;
    uint32_t flags = 0;
    uint32_t mtu = 0;
  };
  struct Address {
    SocketAddress address;
    SocketAddress broadcast;
    uint32_t prefixBits = 0;
    /** IPv6 duplicate address detection is done, or is not needed. */
    bool isReady = false;
  };

  bool applyLink(const nlmsghdr& header);
  bool applyAddress(const nlmsghdr& header);

  std::map<uint32_t, Link> links_;
  /** By interface index and the address's bytes. */
  std::map<std::pair<uint32_t, std::string>, Address> addresses_;
};

}  // namespace serval
