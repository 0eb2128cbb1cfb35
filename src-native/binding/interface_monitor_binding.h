// `InterfaceMonitor` in JavaScript: the native half of lib/link/interface-monitor.ts.
#pragma once

#include <napi.h>
#include <uv.h>

#include "../netlink/interface_socket.h"

namespace serval {

class InterfaceMonitorBinding : public Napi::ObjectWrap<InterfaceMonitorBinding> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit InterfaceMonitorBinding(const Napi::CallbackInfo& info);
  ~InterfaceMonitorBinding() override;

 private:
  /** The watched socket. It outlives the object until the loop has let go of it, and then deletes itself. */
  struct Watch {
    InterfaceSocket socket;
    uv_poll_t handle{};
    InterfaceMonitorBinding* owner = nullptr;
    napi_async_cleanup_hook_handle hook = nullptr;
    bool isClosing = false;
    void close();
  };

  Napi::Value open(const Napi::CallbackInfo& info);
  Napi::Value addresses(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);
  void changed();

  Watch* watch_ = nullptr;
  Napi::AsyncContext context_;
  Napi::FunctionReference onChanged_;
};

}  // namespace serval
