// Results for JavaScript, and calls into it from the event loop.
#pragma once

#include <napi.h>

#include <vector>

#include "../socket/link_socket.h"

namespace serval {

/** undefined, or { errno, syscall } with a negative errno as in Node's errors. */
Napi::Value systemError(Napi::Env env, const SystemError& error);

/** As an event of the loop: with its microtasks, and what is thrown is an uncaught exception. */
void callFromLoop(Napi::Env env, const Napi::FunctionReference& function, const std::vector<napi_value>& values,
                  napi_async_context context);

}  // namespace serval
