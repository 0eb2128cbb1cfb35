// Takes datagrams from a link's sockets, splits what GRO joined and appends the packets to a burst. Small
// datagrams come many a system call and are copied into the slab side by side. While a bulk flow runs, one
// call takes one super-packet, and the kernel itself puts headers here and payload there: no copy of ours.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "../train/train_joiner.h"
#include "control_messages.h"
#include "link_socket.h"
#include "statistics.h"

namespace serval {

class PacketReceiver {
 public:
  /** Room that `receive` needs at least: rows of one super-packet, bytes of the largest datagram. */
  static constexpr size_t kRowsNeeded = 128;
  static constexpr size_t kBytesNeeded = 65'536;

  /** A burst ends when it has so many rows, or a few more. */
  PacketReceiver(Statistics& statistics, size_t burstRows);

  /** What stopped a receive: nothing is left in the socket, or no room is left in the burst. */
  enum class Outcome { drained, full };

  /** Receives until one of these holds. `byteEnd`: stop when the burst has used the slab up to here. */
  Outcome receive(LinkSocket& socket, TrainJoiner& joiner, size_t byteEnd);

 private:
  /** Datagrams a call takes at most when they are small. */
  static constexpr size_t kSlots = 32;
  static constexpr size_t kHeaderSlots = 128;

  struct PerSocket {
    /** Payload bytes of a segment in the super-packets that come now; 0 while none do. */
    size_t bulkSegment = 0;
    /** Datagrams in a row that were none. */
    int otherDatagrams = 0;
    /** Rows that the datagrams of the last call made, on average: what the next ones are expected to. */
    size_t rowsPerDatagram = 1;
    uint32_t overflows = 0;
  };

  bool hasRoom(const TrainJoiner& joiner, size_t byteEnd) const;
  void readySlot(size_t slot);
  int receiveMany(LinkSocket& socket, TrainJoiner& joiner, PerSocket& state);
  int receiveScattered(LinkSocket& socket, TrainJoiner& joiner, PerSocket& state);
  bool isScatteredAsBet(size_t bytes, size_t groSegment, size_t bet) const;
  void gather(size_t bytes, size_t bet, const uint8_t* payload);
  bool readOrigin(LinkSocket& socket, PerSocket& state, const SocketAddress& source, const ReceivedControl& control);
  bool stripIpHeader(const uint8_t*& bytes, size_t& length);
  void appendAll(const LinkSocket& socket, TrainJoiner& joiner, const uint8_t* bytes, size_t length,
                 size_t segmentSize);
  void bet(PerSocket& state, const uint8_t* bytes, size_t length, size_t segmentSize);
  static void countOther(PerSocket& state);
  int failed();

  Statistics& statistics_;
  const size_t burstRows_;
  Origin origin_;
  SocketAddress addressed_;
  PerSocket states_[2];

  const std::unique_ptr<uint8_t[]> staging_;
  std::array<mmsghdr, kSlots> headers_{};
  std::array<iovec, kSlots> vectors_{};
  std::array<SocketAddress, kSlots> sources_{};
  std::array<ControlBuffer, kSlots> controls_{};

  std::array<uint8_t, kHeaderSlots * 32> segmentHeaders_{};
  std::array<iovec, kHeaderSlots * 2> scatter_{};
};

}  // namespace serval
