#include "socket_functions.h"

#include <vector>

#include "../socket/send_order.h"
#include "../socket/spin_policy.h"
#include "arguments.h"
#include "transmit_arguments.h"

namespace serval {

namespace {

constexpr uint64_t kNanoseconds = 1000;

/**
 * spinDecisions(bound, events): what a SpinPolicy answers. `events` has two integers each: 0 for packets sent, 1 for
 * packets received, 2 for the question whether a spin is over; and the time. Times are microseconds.
 */
Napi::Value spinDecisions(const Napi::CallbackInfo& info) {
  uint32_t bound = 0;
  Integers events;
  if (!readCount(info, 0, "bound", bound) || !readIntegers(info, 1, "events", events)) return info.Env().Undefined();
  SpinPolicy policy(bound * kNanoseconds);
  Napi::Array decisions = Napi::Array::New(info.Env());
  for (uint32_t index = 0; index < events.length / 2; index++) {
    const int32_t kind = events.data[index * 2];
    const uint64_t now = static_cast<uint64_t>(events.data[index * 2 + 1]) * kNanoseconds;
    const bool decision = kind == 0 ? policy.sent(now) : kind == 1 ? policy.received(now) : policy.isOver(now);
    decisions.Set(index, Napi::Boolean::New(info.Env(), decision));
  }
  return decisions;
}

/** sendOrder(rows, count, headers, pieces, pieceSpans, pieceCount): indexes of the rows as they leave, by size. */
Napi::Value sendOrder(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<Piece> pieces;
  TransmitRows batch{};
  if (!readTransmitRows(info, pieces, batch)) return env.Undefined();
  SendOrder order;
  Napi::Array result = Napi::Array::New(env);
  uint32_t count = 0;
  for (const uint32_t row : order.of(batch, true)) result.Set(count++, Napi::Number::New(env, row));
  return result;
}

}  // namespace

void defineSocketFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("sendOrder", Napi::Function::New<sendOrder>(env, "sendOrder"));
  exports.Set("spinDecisions", Napi::Function::New<spinDecisions>(env, "spinDecisions"));
}

}  // namespace serval
