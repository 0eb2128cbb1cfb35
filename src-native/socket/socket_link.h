// One link to the network: an IPv4 and an IPv6 socket, sending and receiving by trains. Knows no event loop:
// whoever owns it watches the descriptors and calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "batch_sender.h"
#include "error_queue.h"
#include "link_socket.h"
#include "message_sender.h"
#include "packet_receiver.h"
#include "statistics.h"

namespace serval {

struct SocketLinkOptions {
  /** 0: UDP. */
  int rawProtocol = 0;
  uint16_t port = 0;
  bool v4 = true;
  bool v6 = true;
  size_t sendBuffer = 0;
  size_t receiveBuffer = 0;
  size_t heldMaximum = 0;
  bool segmentation = true;
  bool aggregation = true;
  FlowTag flowTag;
  /**
   * Rows after which a burst ends. Answers to it leave while the peer's next burst waits: with all that had gathered in
   * one burst two processes would take turns, and each would be idle half of the time.
   */
  size_t burstRows = 128;
  /** How long the owner polls after traffic before it sleeps; 0: not at all. */
  uint64_t spinNanoseconds = 0;
};

/** Where a burst goes. */
struct ReceiveRoom {
  int32_t* rows;
  size_t rowCapacity;
  uint8_t* slab;
  size_t start;
  size_t end;
  /** The burst ends when it has this many bytes, so that the event loop turns. */
  size_t burstBytes;
};

struct Burst {
  size_t rows;
  bool isDrained;
};

class SocketLink {
 public:
  explicit SocketLink(const SocketLinkOptions& options);

  /** Opens the sockets, on one port for both families. A host without IPv6 is served over IPv4. */
  SystemError open();
  void close();

  LinkSocket& v4() { return v4_; }
  LinkSocket& v6() { return v6_; }
  uint16_t port() const { return v4_.isOpen() ? v4_.port() : v6_.port(); }
  size_t receiveBuffer() const { return v4_.isOpen() ? v4_.receiveBuffer() : v6_.receiveBuffer(); }

  /** True when all went to the kernel or was dropped; false when a rest is held. */
  bool transmit(const TransmitRows& batch);
  /** Sends what is held; true when nothing is left. */
  bool resume() { return sender_.resume(); }
  MessageSender& sender() { return sender_; }

  Burst receive(LinkSocket& socket, const ReceiveRoom& room);
  void readErrors(LinkSocket& socket) { drainErrorQueue(socket, events_, statistics_); }

  NetworkEvents& events() { return events_; }
  Statistics& statistics() { return statistics_; }
  /** Addresses or routes of this host have changed. */
  void forgetSources() { batches_.sources().clear(); }

 private:
  SystemError openBoth(const LinkSocketOptions& options);

  const SocketLinkOptions options_;
  Statistics statistics_;
  NetworkEvents events_;
  LinkSocket v4_;
  LinkSocket v6_;
  MessageSender sender_;
  BatchSender batches_;
  PacketReceiver receiver_;
  TrainJoiner joiner_;
};

}  // namespace serval
