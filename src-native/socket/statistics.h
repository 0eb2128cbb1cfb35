// What a link counts. The names are those that JavaScript shows; reasons of refusal are those of
// lib/wire/wire-error.ts.
#pragma once

#include <cstdint>

#include "../train/train_joiner.h"

namespace serval {

struct Statistics {
  uint64_t packetsSent = 0;
  uint64_t bytesSent = 0;
  /** Datagrams handed to the kernel; one with UDP_SEGMENT is many packets. */
  uint64_t messagesSent = 0;
  uint64_t sendCalls = 0;
  uint64_t packetsReceived = 0;
  uint64_t bytesReceived = 0;
  /** Datagrams taken from the kernel; one joined by UDP_GRO is many packets. */
  uint64_t messagesReceived = 0;
  uint64_t receiveCalls = 0;
  /** Rows and bursts given to the handler. */
  uint64_t rowsReceived = 0;
  uint64_t burstsReceived = 0;
  /** Super-packets whose payload the kernel put in place, without a copy of ours. */
  uint64_t messagesScattered = 0;
  /** Times that the loop began to poll instead of sleeping, and bursts that came before it went to sleep. */
  uint64_t spins = 0;
  uint64_t spinHits = 0;

  /** Packets that waited for a full socket, and those dropped because too many did. */
  uint64_t packetsHeld = 0;
  uint64_t queueFull = 0;
  /** Super-packets that had to be sent packet by packet after all. */
  uint64_t segmentationFallbacks = 0;
  uint64_t tooLarge = 0;
  uint64_t unroutable = 0;
  uint64_t forbidden = 0;
  uint64_t sendErrors = 0;
  /** Rows for an address family without a socket. */
  uint64_t badAddress = 0;
  /** Entries read from the sockets' error queues (ICMP). */
  uint64_t networkErrors = 0;

  /** Datagrams that the kernel dropped because the receive buffer was full. */
  uint64_t receiveOverflows = 0;
  uint64_t truncated = 0;
  uint64_t badCheck = 0;
  uint64_t tcpTruncated = 0;
  uint64_t tcpHeaderLength = 0;
  uint64_t badTransportChecksum = 0;
  uint64_t ipTruncated = 0;
  uint64_t receiveErrors = 0;

  void count(Refusal refusal);
};

struct NamedCounter {
  const char* name;
  uint64_t Statistics::*counter;
};

inline constexpr NamedCounter kCounters[] = {
    {"packetsSent", &Statistics::packetsSent},
    {"bytesSent", &Statistics::bytesSent},
    {"messagesSent", &Statistics::messagesSent},
    {"sendCalls", &Statistics::sendCalls},
    {"packetsReceived", &Statistics::packetsReceived},
    {"bytesReceived", &Statistics::bytesReceived},
    {"messagesReceived", &Statistics::messagesReceived},
    {"receiveCalls", &Statistics::receiveCalls},
    {"rowsReceived", &Statistics::rowsReceived},
    {"burstsReceived", &Statistics::burstsReceived},
    {"messagesScattered", &Statistics::messagesScattered},
    {"spins", &Statistics::spins},
    {"spinHits", &Statistics::spinHits},
    {"packetsHeld", &Statistics::packetsHeld},
    {"queueFull", &Statistics::queueFull},
    {"segmentationFallbacks", &Statistics::segmentationFallbacks},
    {"tooLarge", &Statistics::tooLarge},
    {"unroutable", &Statistics::unroutable},
    {"forbidden", &Statistics::forbidden},
    {"sendErrors", &Statistics::sendErrors},
    {"badAddress", &Statistics::badAddress},
    {"networkErrors", &Statistics::networkErrors},
    {"receiveOverflows", &Statistics::receiveOverflows},
    {"truncated", &Statistics::truncated},
    {"badCheck", &Statistics::badCheck},
    {"tcpTruncated", &Statistics::tcpTruncated},
    {"tcpHeaderLength", &Statistics::tcpHeaderLength},
    {"badTransportChecksum", &Statistics::badTransportChecksum},
    {"ipTruncated", &Statistics::ipTruncated},
    {"receiveErrors", &Statistics::receiveErrors},
};

inline void Statistics::count(Refusal refusal) {
  switch (refusal) {
    case Refusal::none:
      break;
    case Refusal::truncated:
      truncated++;
      break;
    case Refusal::badCheck:
      badCheck++;
      break;
    case Refusal::tcpTruncated:
      tcpTruncated++;
      break;
    case Refusal::tcpHeaderLength:
      tcpHeaderLength++;
      break;
    case Refusal::badTransportChecksum:
      badTransportChecksum++;
      break;
  }
}

}  // namespace serval
