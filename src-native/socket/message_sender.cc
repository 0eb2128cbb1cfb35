#include "message_sender.h"

#include <algorithm>
#include <cerrno>

#include "path_lookup.h"

namespace serval {

namespace {

/**
 * The kernel reports an ICMP error of an earlier packet, to whomever, by failing the next send: once, and
 * then the packet goes. Routing errors look the same but stay.
 */
bool mayBeAnothersError(int error) {
  switch (error) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EPROTO:
    case EOPNOTSUPP:
    case EMSGSIZE:
    case EACCES:
      return true;
    default:
      return false;
  }
}

}  // namespace

void MessageSender::send(OutgoingMessage* messages, size_t count) {
  const size_t consumed = held_.isEmpty() ? sendUntilBlocked(messages, count) : 0;
  for (size_t index = consumed; index < count; index++) hold(messages[index]);
}

bool MessageSender::resume() {
  std::array<iovec, kMessagesPerCall> vectors;
  std::array<OutgoingMessage, kMessagesPerCall> messages;
  while (!held_.isEmpty()) {
    const size_t count = std::min(held_.count(), kMessagesPerCall);
    for (size_t index = 0; index < count; index++) messages[index] = held_.at(index, vectors[index]);
    const size_t consumed = sendUntilBlocked(messages.data(), count);
    held_.pop(consumed);
    if (consumed < count) return false;
  }
  return true;
}

/** Returns how many were sent or dropped; fewer than `count` only when the socket takes no more. */
size_t MessageSender::sendUntilBlocked(OutgoingMessage* messages, size_t count) {
  size_t at = 0;
  bool isRetry = false;
  while (at < count) {
    LinkSocket& socket = socketFor(messages[at]);
    if (!socket.isOpen()) {
      statistics_.badAddress += messages[at++].segments;
      continue;
    }
    size_t run = 1;
    while (at + run < count && run < kMessagesPerCall && &socketFor(messages[at + run]) == &socket) run++;
    const int sent = call(socket, messages + at, run);
    if (sent > 0) {
      for (int index = 0; index < sent; index++) account(messages[at++]);
      isRetry = false;
      continue;
    }
    const Next next = failed(socket, messages[at], errno, isRetry);
    if (next == Next::blocked) return at;
    isRetry = next == Next::again;
    if (next == Next::consumed) at++;
  }
  return at;
}

int MessageSender::call(LinkSocket& socket, OutgoingMessage* messages, size_t count) {
  for (size_t index = 0; index < count; index++) {
    OutgoingMessage& message = messages[index];
    const int injected = injectedError(message);
    if (injected != 0) {
      if (index == 0) {
        errno = injected;
        return -1;
      }
      fault_.times++;
      count = index;
      break;
    }
    msghdr& header = headers_[index].msg_hdr;
    header = {};
    header.msg_name = message.destination.kernel();
    header.msg_namelen = message.destination.kernelLength();
    header.msg_iov = message.vectors;
    header.msg_iovlen = message.vectorCount;
    const size_t segmentSize = message.segments > 1 ? message.segmentSize : 0;
    writeControl(header, controls_[index], message.source, static_cast<uint16_t>(segmentSize));
  }
  statistics_.sendCalls++;
  return ::sendmmsg(socket.descriptor(), headers_.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
}

int MessageSender::injectedError(const OutgoingMessage& message) {
  if (fault_.times <= 0 || (fault_.segmentedOnly && message.segments < 2)) return 0;
  fault_.times--;
  return fault_.error;
}

MessageSender::Next MessageSender::failed(LinkSocket& socket, OutgoingMessage& message, int error, bool isRetry) {
  if (error == EINTR) return Next::again;
  if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM) {
    // A full device queue (ENOBUFS) does not make the socket unwritable: only time helps.
    wait_ = error == EAGAIN || error == EWOULDBLOCK ? Wait::writable : Wait::timer;
    waitingFamily_ = socket.family();
    return Next::blocked;
  }
  if (mayBeAnothersError(error) && !isRetry) return Next::again;
  if (message.segments > 1 && (error == EIO || error == EINVAL || error == EMSGSIZE || error == EOPNOTSUPP)) {
    // EIO: a device without checksum offload or an IPsec route. It will not change its mind.
    if (error == EIO) socket.stopSegmenting();
    return sendSplit(message);
  }
  if (error == EMSGSIZE) {
    dropTooBig(message.destination, message.segments);
  } else if (error == EPERM || error == EACCES) {
    statistics_.forbidden += message.segments;
  } else if (mayBeAnothersError(error)) {
    statistics_.unroutable += message.segments;
  } else {
    statistics_.sendErrors += message.segments;
  }
  return Next::consumed;
}

MessageSender::Next MessageSender::sendSplit(const OutgoingMessage& message) {
  statistics_.segmentationFallbacks++;
  SplitMessage parts = split(message);
  const size_t consumed = sendUntilBlocked(parts.packets.data(), parts.packets.size());
  // What did not go is lost here as it would be in the device's queue: it must not overtake what is held.
  statistics_.queueFull += parts.packets.size() - consumed;
  return Next::consumed;
}

void MessageSender::dropTooBig(const SocketAddress& destination, size_t packets) {
  statistics_.tooLarge += packets;
  const uint32_t mtu = pathMtu(destination);
  if (mtu > 0) events_.add(NetworkEvent::packetTooBig, destination, mtu);
}

void MessageSender::hold(const OutgoingMessage& message) {
  if (held_.push(message)) {
    statistics_.packetsHeld += message.segments;
  } else {
    statistics_.queueFull += message.segments;
  }
}

void MessageSender::account(const OutgoingMessage& message) {
  statistics_.messagesSent++;
  statistics_.packetsSent += message.segments;
  statistics_.bytesSent += message.bytes;
}

LinkSocket& MessageSender::socketFor(const OutgoingMessage& message) {
  return message.destination.family() == 4 ? v4_ : v6_;
}

}  // namespace serval
