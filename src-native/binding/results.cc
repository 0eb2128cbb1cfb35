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
  function.MakeCallback(env.Global(), values, context);
  if (!env.IsExceptionPending()) return;
  const Napi::Error error = env.GetAndClearPendingException();
  napi_fatal_exception(env, error.Value());
}

}  // namespace serval
