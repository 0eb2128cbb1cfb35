// A classic BPF program for raw sockets, of which every one on a host is offered every packet of the protocol:
// it lets through what may be for this process, so that the others' packets do not wake it.
#pragma once

#include <linux/filter.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace serval {

/** The leading bits that the flowIDs of one process share. 0 bits: packets of any flow are for us. */
struct FlowTag {
  uint32_t value = 0;
  uint32_t bits = 0;
};

constexpr size_t kFlowFilterLength = 7;

/**
 * Passes packets to a flowID with the tag, and first packets, whose destination flowID is 0. `family`: a raw IPv4
 * socket sees the IP header too.
 */
std::array<sock_filter, kFlowFilterLength> flowFilter(const FlowTag& tag, int family);

/** False, with errno, when the kernel refuses. */
bool attachFlowFilter(int descriptor, const FlowTag& tag, int family);

}  // namespace serval
