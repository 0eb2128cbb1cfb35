#include "socket_functions.h"

#include "../socket/spin_policy.h"
#include "arguments.h"

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

}  // namespace

void defineSocketFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("spinDecisions", Napi::Function::New<spinDecisions>(env, "spinDecisions"));
}

}  // namespace serval
