// In which order the rows of a batch leave. What goes to one destination leaves together, and there packets of one
// size behind each other, for a super-packet takes packets of one size: sizes as they came, of acknowledgments and
// messages of many flows, would make a super-packet of nearly each. Rows of one flow keep their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../train/transmit_rows.h"

namespace serval {

class SendOrder {
 public:
  /**
   * Indexes of the rows, valid until the next call. Destinations stand in the order in which they first appeared, and
   * small packets of one before its large ones: they do not wait for the bulk of others. `bySize` false: as they came.
   */
  const std::vector<uint32_t>& of(const TransmitRows& batch, bool bySize);

 private:
  /** Rows as a linked list. */
  struct Rows {
    uint32_t first;
    uint32_t last;
  };
  struct Destination {
    const int32_t* row;
    Rows rows;
    uint32_t count;
    /** Bytes of the first packet of each row so far, 0 when they differ. */
    uint32_t size;
  };
  /**
   * Rows that may leave in any order among those of other flows. A row goes to the round of the one before it in its
   * flow, or where it is smaller than that one to the next: rounds leave one after the other, sizes ascend in each.
   */
  struct Lane {
    uint32_t round;
    uint32_t size;
    Rows rows;
  };
  struct FlowMark {
    uint32_t flowID;
    uint32_t round;
    uint32_t size;
  };

  void sortByDestination(const TransmitRows& batch);
  uint32_t destinationOf(const int32_t* row, uint32_t size);
  void appendBySize(const TransmitRows& batch, const Destination& destination);
  uint32_t roundOf(uint32_t flowID, uint32_t size);
  void addToLane(uint32_t round, uint32_t size, uint32_t row);
  void append(Rows& rows, uint32_t row);
  void appendToOrder(const Rows& rows);

  std::vector<uint32_t> order_;
  std::vector<uint32_t> next_;
  std::vector<Destination> destinations_;
  std::vector<Lane> lanes_;
  std::vector<FlowMark> flows_;
  /** Open addressing: places of destinations, then of the lanes of one destination, then of its flows. */
  std::vector<uint32_t> destinationPlaces_;
  std::vector<uint32_t> lanePlaces_;
  std::vector<uint32_t> flowPlaces_;
};

}  // namespace serval
