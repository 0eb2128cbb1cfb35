#include "interface_monitor_binding.h"

#include "../train/row_layout.h"
#include "arguments.h"
#include "results.h"

namespace serval {

namespace {

Napi::Value addressOf(Napi::Env env, const SocketAddress& address) {
  int32_t row[kAddressInts];
  address.toRow(row);
  Napi::Array result = Napi::Array::New(env, kAddressInts);
  for (uint32_t index = 0; index < kAddressInts; index++) result.Set(index, Napi::Number::New(env, row[index]));
  return result;
}

}  // namespace

Napi::Function InterfaceMonitorBinding::define(Napi::Env env) {
  using Self = InterfaceMonitorBinding;
  return DefineClass(env, "InterfaceMonitor",
                     {
                         InstanceMethod<&Self::open>("open"),
                         InstanceMethod<&Self::addresses>("addresses"),
                         InstanceMethod<&Self::close>("close"),
                     });
}

/** new InterfaceMonitor(changed) */
InterfaceMonitorBinding::InterfaceMonitorBinding(const Napi::CallbackInfo& info)
    : ObjectWrap(info), context_(info.Env(), "SERVALINTERFACES") {
  if (!info[0].IsFunction()) {
    throwTypeError(info.Env(), "changed", "a function");
    return;
  }
  onChanged_ = Napi::Persistent(info[0].As<Napi::Function>());
}

InterfaceMonitorBinding::~InterfaceMonitorBinding() {
  if (watch_ == nullptr) return;
  watch_->owner = nullptr;
  watch_->close();
}

/** Returns undefined, or { errno, syscall }. Never keeps the process alive. */
Napi::Value InterfaceMonitorBinding::open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  uv_loop_t* loop = nullptr;
  if (watch_ != nullptr || onChanged_.IsEmpty() || napi_get_uv_event_loop(env, &loop) != napi_ok) {
    Napi::Error::New(env, "a monitor is opened once").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  auto* const watch = new Watch();
  SystemError error = watch->socket.open();
  if (!error.isError()) {
    const int failed = uv_poll_init(loop, &watch->handle, watch->socket.descriptor());
    if (failed != 0) error = {-failed, "epoll_ctl"};
  }
  if (error.isError()) {
    delete watch;
    return systemError(env, error);
  }
  watch->owner = this;
  watch->handle.data = watch;
  watch_ = watch;
  Ref();
  uv_unref(reinterpret_cast<uv_handle_t*>(&watch->handle));
  uv_poll_start(&watch->handle, UV_READABLE, [](uv_poll_t* handle, int, int) {
    auto* const ready = static_cast<Watch*>(handle->data);
    if (ready->socket.read() && ready->owner != nullptr) ready->owner->changed();
  });
  napi_add_async_cleanup_hook(
      env,
      [](napi_async_cleanup_hook_handle, void* data) {
        auto* const ending = static_cast<Watch*>(data);
        if (ending->owner != nullptr) ending->owner->watch_ = nullptr;
        ending->owner = nullptr;
        ending->close();
      },
      watch, &watch->hook);
  return env.Undefined();
}

/** addresses(): what is usable now, in no particular order. */
Napi::Value InterfaceMonitorBinding::addresses(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array result = Napi::Array::New(env);
  if (watch_ == nullptr) return result;
  uint32_t count = 0;
  for (const InterfaceAddress& entry : watch_->socket.table().usable()) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", Napi::String::New(env, entry.name));
    object.Set("index", Napi::Number::New(env, entry.index));
    object.Set("address", addressOf(env, entry.address));
    object.Set("prefixBits", Napi::Number::New(env, entry.prefixBits));
    if (entry.broadcast.family() != 0) object.Set("broadcast", addressOf(env, entry.broadcast));
    object.Set("mtu", Napi::Number::New(env, entry.mtu));
    object.Set("isLoopback", Napi::Boolean::New(env, entry.isLoopback));
    result.Set(count++, object);
  }
  return result;
}

void InterfaceMonitorBinding::close(const Napi::CallbackInfo&) {
  if (watch_ == nullptr) return;
  watch_->owner = nullptr;
  watch_->close();
  watch_ = nullptr;
  Unref();
}

void InterfaceMonitorBinding::changed() {
  Napi::HandleScope scope(Env());
  callFromLoop(Env(), onChanged_, {}, context_);
}

void InterfaceMonitorBinding::Watch::close() {
  if (isClosing) return;
  isClosing = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle), [](uv_handle_t* closed) {
    auto* const watch = static_cast<Watch*>(closed->data);
    if (watch->hook != nullptr) napi_remove_async_cleanup_hook(watch->hook);
    delete watch;
  });
}

}  // namespace serval
