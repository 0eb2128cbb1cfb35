// Turns a batch of rows into as few messages as the kernel allows: what goes to one destination in one turn,
// of whatever flow, shares super-packets as far as packet sizes are equal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../train/gather_arena.h"
#include "../train/packet_cutter.h"
#include "../train/transmit_rows.h"
#include "message_sender.h"
#include "path_lookup.h"
#include "send_order.h"

namespace serval {

class BatchSender {
 public:
  /** `isRaw`: one packet a message, with the transport checksum filled in. */
  BatchSender(MessageSender& sender, const LinkSocket& v4, const LinkSocket& v6, bool isRaw);

  /** The rows were checked with `findFault`. */
  void send(const TransmitRows& batch);

  SourceCache& sources() { return sources_; }

 private:
  void sendRow(const TransmitRows& batch, size_t row);
  bool continuesMessage(const int32_t* row, const PacketCutter& cutter) const;
  void beginMessage(const int32_t* row);
  void sealRawPacket();
  void flush();

  MessageSender& sender_;
  const LinkSocket& v4_;
  const LinkSocket& v6_;
  const bool isRaw_;
  GatherArena arena_;
  std::vector<OutgoingMessage> messages_;
  /** The row that the open message was begun with, nullptr when none is open. */
  const int32_t* openRow_ = nullptr;
  SourceCache sources_;
  SendOrder order_;
};

}  // namespace serval
