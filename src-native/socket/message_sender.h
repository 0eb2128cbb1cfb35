// Hands messages to the kernel, many in one system call, and knows what to do when it does not take them:
// wait and hold, cut a super-packet after all, try again, or drop and count.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>

#include "control_messages.h"
#include "error_queue.h"
#include "link_socket.h"
#include "outgoing_message.h"
#include "statistics.h"

namespace serval {

/** Makes the next sends fail, so that tests reach what happens then. */
struct SendFault {
  int error = 0;
  int times = 0;
  /** Only super-packets fail. */
  bool segmentedOnly = false;
};

class MessageSender {
 public:
  static constexpr size_t kMessagesPerCall = 64;

  /** What the socket waits for before more can be sent. */
  enum class Wait { nothing, writable, timer };

  MessageSender(LinkSocket& v4, LinkSocket& v6, size_t heldMaximum, NetworkEvents& events, Statistics& statistics)
      : v4_(v4), v6_(v6), held_(heldMaximum), events_(events), statistics_(statistics) {}

  /** Sends in order; what does not go now is copied and held, or beyond the bound dropped and counted. */
  void send(OutgoingMessage* messages, size_t count);
  /** Sends what is held. True when nothing is left. */
  bool resume();

  /** Counts and tells packets that no path can carry. */
  void dropTooBig(const SocketAddress& destination, size_t packets);

  Wait wait() const { return held_.isEmpty() ? Wait::nothing : wait_; }
  /** Family of the socket that is full. */
  int waitingFamily() const { return waitingFamily_; }
  size_t heldBytes() const { return held_.bytes(); }

  void inject(const SendFault& fault) { fault_ = fault; }

 private:
  enum class Next { again, consumed, blocked };

  size_t sendUntilBlocked(OutgoingMessage* messages, size_t count);
  int call(LinkSocket& socket, OutgoingMessage* messages, size_t count);
  int injectedError(const OutgoingMessage& message);
  Next failed(LinkSocket& socket, OutgoingMessage& message, int error, bool isRetry);
  Next sendSplit(const OutgoingMessage& message);
  void hold(const OutgoingMessage& message);
  void account(const OutgoingMessage& message);
  LinkSocket& socketFor(const OutgoingMessage& message);

  LinkSocket& v4_;
  LinkSocket& v6_;
  HeldMessages held_;
  NetworkEvents& events_;
  Statistics& statistics_;
  SendFault fault_;
  Wait wait_ = Wait::nothing;
  int waitingFamily_ = 4;
  std::array<mmsghdr, kMessagesPerCall> headers_{};
  std::array<ControlBuffer, kMessagesPerCall> controls_{};
};

}  // namespace serval
