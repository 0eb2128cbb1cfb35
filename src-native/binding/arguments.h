// Arguments from JavaScript, checked where they come in. Every check throws a TypeError into JavaScript and
// returns false; the caller returns at once.
#pragma once

#include <napi.h>

#include <cstdint>

namespace serval {

template <typename Element>
struct View {
  Element* data = nullptr;
  size_t length = 0;
};

using Bytes = View<uint8_t>;
using Integers = View<int32_t>;

bool readBytes(const Napi::CallbackInfo& info, size_t index, const char* name, Bytes& view);
bool readIntegers(const Napi::CallbackInfo& info, size_t index, const char* name, Integers& view);
/** A whole number from 0 to 2^32 - 1. */
bool readCount(const Napi::CallbackInfo& info, size_t index, const char* name, uint32_t& value);
bool readObject(const Napi::CallbackInfo& info, size_t index, const char* name, Napi::Object& value);
bool readAddress(const Napi::CallbackInfo& info, size_t index, const char* name, int32_t* row);

/** Properties of an options object; what is undefined keeps the value that `value` has. */
bool readOption(const Napi::Object& options, const char* name, uint32_t& value);
bool readOption(const Napi::Object& options, const char* name, bool& value);
bool readFunction(const Napi::Object& object, const char* name, Napi::Function& value);

void throwTypeError(Napi::Env env, const char* name, const char* expectation);

}  // namespace serval
