#include "arguments.h"

#include <cmath>
#include <string>

#include "../train/row_layout.h"

namespace serval {

namespace {

template <typename Element>
bool readView(const Napi::CallbackInfo& info, size_t index, const char* name, napi_typedarray_type expected,
              const char* expectation, View<Element>& view) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  const bool isView = info[index].IsTypedArray() &&
                      napi_get_typedarray_info(info.Env(), info[index], &type, &length, &data, nullptr, nullptr) ==
                          napi_ok &&
                      type == expected;
  if (!isView) {
    throwTypeError(info.Env(), name, expectation);
    return false;
  }
  view = {static_cast<Element*>(data), length};
  return true;
}

bool toCount(const Napi::Value& value, uint32_t& count) {
  if (!value.IsNumber()) return false;
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0) || number > UINT32_MAX || number != std::floor(number)) return false;
  count = static_cast<uint32_t>(number);
  return true;
}

}  // namespace

void throwTypeError(Napi::Env env, const char* name, const char* expectation) {
  const std::string message = std::string(name) + " must be " + expectation;
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message.c_str());
}

bool readBytes(const Napi::CallbackInfo& info, size_t index, const char* name, Bytes& view) {
  return readView(info, index, name, napi_uint8_array, "a Uint8Array", view);
}

bool readIntegers(const Napi::CallbackInfo& info, size_t index, const char* name, Integers& view) {
  return readView(info, index, name, napi_int32_array, "an Int32Array", view);
}

bool readCount(const Napi::CallbackInfo& info, size_t index, const char* name, uint32_t& value) {
  if (toCount(info[index], value)) return true;
  throwTypeError(info.Env(), name, "a whole number from 0 to 2^32 - 1");
  return false;
}

bool readObject(const Napi::CallbackInfo& info, size_t index, const char* name, Napi::Object& value) {
  if (info[index].IsObject()) {
    value = info[index].As<Napi::Object>();
    return true;
  }
  throwTypeError(info.Env(), name, "an object");
  return false;
}

bool readAddress(const Napi::CallbackInfo& info, size_t index, const char* name, int32_t* row) {
  Integers view;
  if (!readIntegers(info, index, name, view)) return false;
  const int family = view.length == kAddressInts ? view.data[0] >> 16 : 0;
  if (family != 4 && family != 6) {
    throwTypeError(info.Env(), name, "an address: family and port, then four words");
    return false;
  }
  for (size_t at = 0; at < kAddressInts; at++) row[at] = view.data[at];
  return true;
}

bool readOption(const Napi::Object& options, const char* name, uint32_t& value) {
  const Napi::Value option = options.Get(name);
  if (option.Env().IsExceptionPending()) return false;
  if (option.IsUndefined() || toCount(option, value)) return true;
  throwTypeError(options.Env(), name, "a whole number from 0 to 2^32 - 1");
  return false;
}

bool readOption(const Napi::Object& options, const char* name, bool& value) {
  const Napi::Value option = options.Get(name);
  if (option.Env().IsExceptionPending()) return false;
  if (option.IsUndefined()) return true;
  if (option.IsBoolean()) {
    value = option.As<Napi::Boolean>();
    return true;
  }
  throwTypeError(options.Env(), name, "a boolean");
  return false;
}

bool readFunction(const Napi::Object& object, const char* name, Napi::Function& value) {
  const Napi::Value property = object.Get(name);
  if (property.Env().IsExceptionPending()) return false;
  if (property.IsFunction()) {
    value = property.As<Napi::Function>();
    return true;
  }
  throwTypeError(object.Env(), name, "a function");
  return false;
}

}  // namespace serval
