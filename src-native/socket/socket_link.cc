#include "socket_link.h"

#include <algorithm>
#include <cerrno>

namespace serval {

namespace {

/** An ephemeral port that is free for IPv4 may be taken for IPv6; another one then. */
constexpr int kPortAttempts = 16;

bool isFamilyMissing(const SystemError& error) {
  return error.error == EAFNOSUPPORT || error.error == EADDRNOTAVAIL || error.error == EPROTONOSUPPORT;
}

LinkSocketOptions socketOptions(const SocketLinkOptions& options) {
  LinkSocketOptions result;
  result.rawProtocol = options.rawProtocol;
  result.port = options.port;
  result.sendBuffer = options.sendBuffer;
  result.receiveBuffer = options.receiveBuffer;
  result.segmentation = options.segmentation;
  result.aggregation = options.aggregation;
  result.flowTag = options.flowTag;
  return result;
}

}  // namespace

SocketLink::SocketLink(const SocketLinkOptions& options)
    : options_(options),
      sender_(v4_, v6_, options.heldMaximum, events_, statistics_),
      batches_(sender_, v4_, v6_, options.rawProtocol != 0),
      receiver_(statistics_, options.burstRows),
      joiner_(options.rawProtocol != 0) {}

SystemError SocketLink::open() {
  LinkSocketOptions options = socketOptions(options_);
  SystemError error;
  for (int attempt = 0; attempt < kPortAttempts; attempt++) {
    error = openBoth(options);
    if (error.error != EADDRINUSE || options_.port != 0) break;
  }
  if (error.isError()) close();
  return error;
}

SystemError SocketLink::openBoth(const LinkSocketOptions& base) {
  close();
  LinkSocketOptions options = base;
  SystemError error4;
  if (options_.v4) {
    options.family = 4;
    error4 = v4_.open(options);
    if (error4.isError() && (!options_.v6 || !isFamilyMissing(error4))) return error4;
    if (options.port == 0 && v4_.isOpen()) options.port = v4_.port();
  }
  if (!options_.v6) return {};
  options.family = 6;
  const SystemError error6 = v6_.open(options);
  if (error6.isError() && (!v4_.isOpen() || !isFamilyMissing(error6))) return error6;
  return {};
}

void SocketLink::close() {
  v4_.close();
  v6_.close();
}

bool SocketLink::transmit(const TransmitRows& batch) {
  batches_.send(batch);
  return sender_.wait() == MessageSender::Wait::nothing;
}

Burst SocketLink::receive(LinkSocket& socket, const ReceiveRoom& room) {
  joiner_.begin(room.rows, room.rowCapacity, room.slab, room.start, room.end);
  const size_t byteEnd = std::min(room.end, room.start + room.burstBytes);
  const PacketReceiver::Outcome outcome = receiver_.receive(socket, joiner_, byteEnd);
  statistics_.rowsReceived += joiner_.count();
  if (joiner_.count() > 0) statistics_.burstsReceived++;
  return {joiner_.count(), outcome == PacketReceiver::Outcome::drained};
}

}  // namespace serval
