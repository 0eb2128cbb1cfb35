// `SocketLink` in JavaScript: a native link behind lib/link/udp-link.ts and raw-ip-link.ts.
#pragma once

#include <napi.h>

#include <vector>

#include "link_loop.h"

namespace serval {

class SocketLinkBinding : public Napi::ObjectWrap<SocketLinkBinding>, private LinkLoop::Listener {
 public:
  static Napi::Function define(Napi::Env env);
  explicit SocketLinkBinding(const Napi::CallbackInfo& info);
  ~SocketLinkBinding() override;

 private:
  Napi::Value open(const Napi::CallbackInfo& info);
  Napi::Value transmit(const Napi::CallbackInfo& info);
  void setSlab(const Napi::CallbackInfo& info);
  void advance(const Napi::CallbackInfo& info);
  void reference(const Napi::CallbackInfo& info);
  void unreference(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);
  void forgetSources(const Napi::CallbackInfo& info);
  void injectSendError(const Napi::CallbackInfo& info);
  Napi::Value statistics(const Napi::CallbackInfo& info);
  Napi::Value port(const Napi::CallbackInfo& info);
  Napi::Value receiveBuffer(const Napi::CallbackInfo& info);

  ReceiveRoom room() override;
  void received(size_t rows) override;
  void settled() override;
  void writable() override;
  void happened(const NetworkEvent& event) override;
  void closed() override;
  void orphaned() override;

  /** nullptr once closed. */
  LinkLoop* loop_ = nullptr;
  bool isOpen_ = false;
  Napi::AsyncContext context_;
  Napi::FunctionReference onReceived_;
  Napi::FunctionReference onSettled_;
  Napi::FunctionReference onWritable_;
  Napi::FunctionReference onUnreachable_;
  Napi::FunctionReference onPacketTooBig_;
  Napi::FunctionReference onClosed_;
  /** Keep the memory alive that `room_` points into. */
  Napi::ObjectReference rowsReference_;
  Napi::ObjectReference slabReference_;
  ReceiveRoom room_{};
  std::vector<Piece> pieces_;
};

}  // namespace serval
