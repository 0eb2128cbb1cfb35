#include "send_order.h"

#include <algorithm>
#include <cstring>

#include "../train/byte_order.h"

namespace serval {

namespace {

constexpr uint32_t kNone = UINT32_MAX;
constexpr size_t kFlowIDBytes = 4;

uint32_t mixed(uint32_t hash) {
  hash *= 0x9e3779b1u;
  return hash ^ hash >> 15;
}

uint32_t hashOfPath(const int32_t* row) {
  uint32_t hash = 2166136261u;
  for (size_t index = 0; index < 2 * kAddressInts; index++) hash = mixed(hash ^ static_cast<uint32_t>(row[index]));
  return hash;
}

/** Empty places, at least twice as many as there will be entries. */
void clear(std::vector<uint32_t>& places, size_t entries) {
  size_t size = 16;
  while (size < entries * 2) size *= 2;
  places.assign(size, kNone);
}

/** The place of the entry that `isIt` knows, or the empty one where it belongs. */
template <typename Predicate>
uint32_t& placeOf(std::vector<uint32_t>& places, uint32_t hash, Predicate isIt) {
  const size_t mask = places.size() - 1;
  size_t place = hash & mask;
  while (places[place] != kNone && !isIt(places[place])) place = (place + 1) & mask;
  return places[place];
}

/** Packets without a whole flowID share one: their order is kept. */
uint32_t sourceFlowIDOf(const TransmitRows& batch, const int32_t* row) {
  const bool hasOne = static_cast<size_t>(row[transmit::headerLength]) >= kFlowIDBytes;
  return hasOne ? readUint32(batch.headers + row[transmit::headerOffset]) : 0;
}

}  // namespace

const std::vector<uint32_t>& SendOrder::of(const TransmitRows& batch, bool bySize) {
  sortByDestination(batch);
  order_.clear();
  for (const Destination& destination : destinations_) {
    if (!bySize || destination.size != 0) {
      appendToOrder(destination.rows);
    } else {
      appendBySize(batch, destination);
    }
  }
  return order_;
}

void SendOrder::sortByDestination(const TransmitRows& batch) {
  destinations_.clear();
  next_.assign(batch.count, kNone);
  clear(destinationPlaces_, batch.count);
  uint32_t current = kNone;
  for (uint32_t index = 0; index < batch.count; index++) {
    const int32_t* const row = batch.row(index);
    const auto size = static_cast<uint32_t>(firstPacketBytes(row));
    if (current == kNone || !isSamePath(destinations_[current].row, row)) current = destinationOf(row, size);
    Destination& destination = destinations_[current];
    append(destination.rows, index);
    destination.count++;
    if (destination.size != size) destination.size = 0;
  }
}

uint32_t SendOrder::destinationOf(const int32_t* row, uint32_t size) {
  uint32_t& place = placeOf(destinationPlaces_, hashOfPath(row),
                            [&](uint32_t found) { return isSamePath(destinations_[found].row, row); });
  if (place == kNone) {
    place = static_cast<uint32_t>(destinations_.size());
    destinations_.push_back({row, {kNone, kNone}, 0, size});
  }
  return place;
}

void SendOrder::appendBySize(const TransmitRows& batch, const Destination& destination) {
  lanes_.clear();
  flows_.clear();
  clear(lanePlaces_, destination.count);
  clear(flowPlaces_, destination.count);
  for (uint32_t index = destination.rows.first; index != kNone;) {
    // The lane's list takes the row's link over.
    const uint32_t following = next_[index];
    next_[index] = kNone;
    const int32_t* const row = batch.row(index);
    const auto size = static_cast<uint32_t>(firstPacketBytes(row));
    addToLane(roundOf(sourceFlowIDOf(batch, row), size), size, index);
    index = following;
  }
  std::sort(lanes_.begin(), lanes_.end(),
            [](const Lane& a, const Lane& b) { return a.round != b.round ? a.round < b.round : a.size < b.size; });
  for (const Lane& lane : lanes_) appendToOrder(lane.rows);
}

uint32_t SendOrder::roundOf(uint32_t flowID, uint32_t size) {
  uint32_t& place =
      placeOf(flowPlaces_, mixed(flowID), [&](uint32_t found) { return flows_[found].flowID == flowID; });
  if (place == kNone) {
    place = static_cast<uint32_t>(flows_.size());
    flows_.push_back({flowID, 0, size});
  }
  FlowMark& flow = flows_[place];
  if (size < flow.size) flow.round++;
  flow.size = size;
  return flow.round;
}

void SendOrder::addToLane(uint32_t round, uint32_t size, uint32_t row) {
  uint32_t& place = placeOf(lanePlaces_, mixed(size ^ round << 16), [&](uint32_t found) {
    return lanes_[found].round == round && lanes_[found].size == size;
  });
  if (place == kNone) {
    place = static_cast<uint32_t>(lanes_.size());
    lanes_.push_back({round, size, {kNone, kNone}});
  }
  append(lanes_[place].rows, row);
}

void SendOrder::append(Rows& rows, uint32_t row) {
  if (rows.first == kNone) {
    rows.first = row;
  } else {
    next_[rows.last] = row;
  }
  rows.last = row;
}

void SendOrder::appendToOrder(const Rows& rows) {
  for (uint32_t row = rows.first; row != kNone; row = next_[row]) order_.push_back(row);
}

}  // namespace serval
