// Single decisions of the socket core as functions, for tests of them without sockets and clocks.
#pragma once

#include <napi.h>

namespace serval {

void defineSocketFunctions(Napi::Env env, Napi::Object exports);

}  // namespace serval
