// The few fields of SAL, TCP and UDP headers that native code reads or numbers. All else about the format is
// known to lib/wire alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "byte_order.h"

namespace serval {

constexpr size_t kSalHeaderBytes = 12;
constexpr size_t kSalDestinationFlowID = 4;
constexpr size_t kSalLength = 8;
constexpr size_t kSalProtocol = 9;

constexpr size_t kTcpHeaderBytes = 20;
constexpr size_t kTcpSequence = 4;
constexpr size_t kTcpAcknowledgment = 8;
constexpr size_t kTcpDataOffset = 12;
constexpr size_t kTcpFlags = 13;
constexpr size_t kTcpWindow = 14;
constexpr size_t kTcpChecksum = 16;

constexpr size_t kUdpHeaderBytes = 8;
constexpr size_t kUdpChecksum = 6;

constexpr uint8_t kProtocolTcp = 6;
constexpr uint8_t kProtocolUdp = 17;

constexpr uint8_t kFin = 0x01;
constexpr uint8_t kPsh = 0x08;
constexpr uint8_t kAck = 0x10;

/** Headers of a data segment without options: what a receiver bets on when it scatters. */
constexpr size_t kBareSegmentHeader = kSalHeaderBytes + kTcpHeaderBytes;

/** TCP behind a SAL header without extensions. At least 12 bytes must be there. */
inline bool isBareTcp(const uint8_t* packet) {
  return packet[kSalLength] == kSalHeaderBytes / 4 && packet[kSalProtocol] == kProtocolTcp;
}

/** Bytes of the SAL header with its extensions. */
inline size_t salHeaderLength(const uint8_t* packet) {
  return packet[kSalLength] * size_t{4};
}

inline size_t tcpHeaderLength(const uint8_t* tcp) {
  return (tcp[kTcpDataOffset] >> 4) * size_t{4};
}

}  // namespace serval
