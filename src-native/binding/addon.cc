// The addon: classes and functions by name. It has no state of its own, so every thread may load it.

#include <napi.h>

#include "../memory/freed_memory.h"
#include "interface_monitor_binding.h"
#include "socket_functions.h"
#include "socket_link_binding.h"
#include "wire_functions.h"

namespace serval {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  keepFreedMemory();
  exports.Set("SocketLink", SocketLinkBinding::define(env));
  exports.Set("InterfaceMonitor", InterfaceMonitorBinding::define(env));
  defineSocketFunctions(env, exports);
  defineWireFunctions(env, exports);
  return exports;
}

}  // namespace serval

namespace {

Napi::Object load(Napi::Env env, Napi::Object exports) {
  return serval::initialize(env, exports);
}

}  // namespace

NODE_API_MODULE(serval, load)
