#include "results.h"

namespace serval {

Napi::Value systemError(Napi::Env env, const SystemError& error) {
  if (!error.isError()) return env.Undefined();
  Napi::Object result = Napi::Object::New(env);
  result.Set("errno", Napi::Number::New(env, -error.error));
  result.Set("syscall", Napi::String::New(env, error.call));
  return result;
}

void callFromLoop(Napi::Env env, const Napi::FunctionReference& function, const std::vector<napi_value>& values,
                  napi_async_context context) {
  napi_value result;
  const napi_status status =
      napi_make_callback(env, context, env.Global(), function.Value(), values.size(), values.data(), &result);
  // A thread that is being terminated runs no JavaScript any more; there is nobody to tell.
  if (status != napi_pending_exception) return;
  napi_value error;
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

}  // namespace serval
