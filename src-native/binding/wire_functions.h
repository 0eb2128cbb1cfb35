// Single functions of the core in JavaScript: what a link needs to ask, and what tests compare with lib/wire.
#pragma once

#include <napi.h>

namespace serval {

void defineWireFunctions(Napi::Env env, Napi::Object exports);

}  // namespace serval
