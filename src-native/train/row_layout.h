// The rows that cross the border to JavaScript: the same offsets as lib/wire/received-batch.ts and
// lib/wire/transmit-batch.ts. They are exported to JavaScript, where a test compares the two.
#pragma once

#include <cstddef>
#include <cstdint>

namespace serval {

namespace received {
enum Field : int {
  sourceFamilyPort = 0,
  sourceIp = 1,
  localFamilyPort = 5,
  localIp = 6,
  kind = 10,
  flags = 11,
  offset = 12,
  length = 13,
  sourceFlowID = 14,
  destinationFlowID = 15,
  sequence = 16,
  acknowledgment = 17,
  window = 18,
  tcpFlags = 19,
  segments = 20,
  segmentSize = 21,
  optionsOffset = 22,
  optionsLength = 23,
};
constexpr size_t kRowInts = 24;

enum Kind : int32_t { packet = 0, train = 1 };
enum Flag : int32_t { broadcast = 1 };
}  // namespace received

namespace transmit {
enum Field : int {
  destinationFamilyPort = 0,
  destinationIp = 1,
  sourceFamilyPort = 5,
  sourceIp = 6,
  headerOffset = 10,
  headerLength = 11,
  firstPiece = 12,
  pieceCount = 13,
  payloadLength = 14,
  segmentSize = 15,
  flags = 16,
};
constexpr size_t kRowInts = 18;

enum Flag : int32_t { train = 1, probe = 2 };
}  // namespace transmit

/** An address in a row: family << 16 | port, then four words. */
constexpr size_t kAddressInts = 5;

struct NamedValue {
  const char* name;
  int value;
};

inline constexpr NamedValue kReceivedFields[] = {
    {"sourceFamilyPort", received::sourceFamilyPort},
    {"sourceIp", received::sourceIp},
    {"localFamilyPort", received::localFamilyPort},
    {"localIp", received::localIp},
    {"kind", received::kind},
    {"flags", received::flags},
    {"offset", received::offset},
    {"length", received::length},
    {"sourceFlowID", received::sourceFlowID},
    {"destinationFlowID", received::destinationFlowID},
    {"sequence", received::sequence},
    {"acknowledgment", received::acknowledgment},
    {"window", received::window},
    {"tcpFlags", received::tcpFlags},
    {"segments", received::segments},
    {"segmentSize", received::segmentSize},
    {"optionsOffset", received::optionsOffset},
    {"optionsLength", received::optionsLength},
};
inline constexpr NamedValue kRowKinds[] = {{"packet", received::packet}, {"train", received::train}};
inline constexpr NamedValue kRowFlags[] = {{"broadcast", received::broadcast}};

inline constexpr NamedValue kTransmitFields[] = {
    {"destinationFamilyPort", transmit::destinationFamilyPort},
    {"destinationIp", transmit::destinationIp},
    {"sourceFamilyPort", transmit::sourceFamilyPort},
    {"sourceIp", transmit::sourceIp},
    {"headerOffset", transmit::headerOffset},
    {"headerLength", transmit::headerLength},
    {"firstPiece", transmit::firstPiece},
    {"pieceCount", transmit::pieceCount},
    {"payloadLength", transmit::payloadLength},
    {"segmentSize", transmit::segmentSize},
    {"flags", transmit::flags},
};
inline constexpr NamedValue kTransmitFlags[] = {{"train", transmit::train}, {"probe", transmit::probe}};

}  // namespace serval
