#include "flow_filter.h"

#include <sys/socket.h>

#include "../train/wire_format.h"

namespace serval {

namespace {

constexpr uint16_t kLoadIpHeaderLength = BPF_LDX | BPF_B | BPF_MSH;
constexpr uint16_t kLoadZero = BPF_LDX | BPF_W | BPF_IMM;
constexpr uint16_t kLoadWord = BPF_LD | BPF_W | BPF_IND;
constexpr uint16_t kMask = BPF_ALU | BPF_AND | BPF_K;
constexpr uint16_t kJumpIfEqual = BPF_JMP | BPF_JEQ | BPF_K;
constexpr uint16_t kReturn = BPF_RET | BPF_K;

constexpr uint32_t kWhole = UINT32_MAX;

}  // namespace

std::array<sock_filter, kFlowFilterLength> flowFilter(const FlowTag& tag, int family) {
  const uint32_t mask = tag.bits == 0 ? 0 : ~uint32_t{0} << (32 - tag.bits);
  const uint16_t toSalHeader = family == 4 ? kLoadIpHeaderLength : kLoadZero;
  return {{
      {toSalHeader, 0, 0, 0},
      // Of a packet that ends before, nothing is loaded: the program ends here, and the packet is dropped.
      {kLoadWord, 0, 0, kSalDestinationFlowID},
      {kJumpIfEqual, 2, 0, 0},
      {kMask, 0, 0, mask},
      {kJumpIfEqual, 0, 1, tag.value & mask},
      {kReturn, 0, 0, kWhole},
      {kReturn, 0, 0, 0},
  }};
}

bool attachFlowFilter(int descriptor, const FlowTag& tag, int family) {
  auto instructions = flowFilter(tag, family);
  const sock_fprog program = {static_cast<unsigned short>(instructions.size()), instructions.data()};
  return ::setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

}  // namespace serval
