#include "socket_link_binding.h"

#include "arguments.h"
#include "results.h"
#include "transmit_arguments.h"

namespace serval {

namespace {

bool readOptions(const Napi::Object& object, SocketLinkOptions& options, uint32_t& burstBytes) {
  uint32_t rawProtocol = 0, port = 0, sendBuffer = 0, receiveBuffer = 0, heldMaximum = 0;
  uint32_t spinMicroseconds = 0, flowTag = 0, flowTagBits = 0;
  uint32_t burstRows = static_cast<uint32_t>(options.burstRows);
  const bool isRead = readOption(object, "rawProtocol", rawProtocol) && readOption(object, "port", port) &&
                      readOption(object, "v4", options.v4) && readOption(object, "v6", options.v6) &&
                      readOption(object, "sendBuffer", sendBuffer) &&
                      readOption(object, "receiveBuffer", receiveBuffer) &&
                      readOption(object, "heldMaximum", heldMaximum) &&
                      readOption(object, "segmentation", options.segmentation) &&
                      readOption(object, "aggregation", options.aggregation) &&
                      readOption(object, "spinMicroseconds", spinMicroseconds) &&
                      readOption(object, "flowTag", flowTag) && readOption(object, "flowTagBits", flowTagBits) &&
                      readOption(object, "burstRows", burstRows) && readOption(object, "burstBytes", burstBytes);
  if (!isRead) return false;
  if (port > UINT16_MAX || rawProtocol > 255 || sendBuffer > INT32_MAX || receiveBuffer > INT32_MAX) {
    throwTypeError(object.Env(), "port, rawProtocol or a buffer size", "in its range");
    return false;
  }
  if (flowTagBits > 32) {
    throwTypeError(object.Env(), "flowTagBits", "32 at most");
    return false;
  }
  if (burstRows == 0) {
    throwTypeError(object.Env(), "burstRows", "1 at least");
    return false;
  }
  options.burstRows = burstRows;
  options.rawProtocol = static_cast<int>(rawProtocol);
  options.port = static_cast<uint16_t>(port);
  options.sendBuffer = sendBuffer;
  options.receiveBuffer = receiveBuffer;
  options.heldMaximum = heldMaximum;
  options.flowTag = {flowTag, flowTagBits};
  options.spinNanoseconds = spinMicroseconds * uint64_t{1000};
  return true;
}

}  // namespace

Napi::Function SocketLinkBinding::define(Napi::Env env) {
  using Self = SocketLinkBinding;
  return DefineClass(env, "SocketLink",
                     {
                         InstanceMethod<&Self::open>("open"),
                         InstanceMethod<&Self::transmit>("transmit"),
                         InstanceMethod<&Self::setSlab>("setSlab"),
                         InstanceMethod<&Self::advance>("advance"),
                         InstanceMethod<&Self::reference>("ref"),
                         InstanceMethod<&Self::unreference>("unref"),
                         InstanceMethod<&Self::close>("close"),
                         InstanceMethod<&Self::forgetSources>("forgetSources"),
                         InstanceMethod<&Self::injectSendError>("injectSendError"),
                         InstanceMethod<&Self::statistics>("statistics"),
                         InstanceMethod<&Self::port>("port"),
                         InstanceMethod<&Self::receiveBuffer>("receiveBuffer"),
                     });
}

/** new SocketLink(options, rows, slab, handler) */
SocketLinkBinding::SocketLinkBinding(const Napi::CallbackInfo& info)
    : ObjectWrap(info), context_(info.Env(), "SERVALLINK") {
  Napi::Object optionsObject, handler;
  Integers rows;
  Bytes slab;
  SocketLinkOptions options;
  uint32_t burstBytes = 0;
  if (!readObject(info, 0, "options", optionsObject) || !readIntegers(info, 1, "rows", rows) ||
      !readBytes(info, 2, "slab", slab) || !readObject(info, 3, "handler", handler) ||
      !readOptions(optionsObject, options, burstBytes)) {
    return;
  }
  const size_t capacity = rows.length / received::kRowInts;
  if (capacity < PacketReceiver::kRowsNeeded || slab.length < PacketReceiver::kBytesNeeded) {
    throwTypeError(info.Env(), "rows and slab", "large enough for one super-packet");
    return;
  }
  Napi::Function onReceived, onSettled, onWritable, onUnreachable, onPacketTooBig, onClosed;
  if (!readFunction(handler, "received", onReceived) || !readFunction(handler, "settled", onSettled) ||
      !readFunction(handler, "writable", onWritable) || !readFunction(handler, "unreachable", onUnreachable) ||
      !readFunction(handler, "packetTooBig", onPacketTooBig) || !readFunction(handler, "closed", onClosed)) {
    return;
  }
  onReceived_ = Napi::Persistent(onReceived);
  onSettled_ = Napi::Persistent(onSettled);
  onWritable_ = Napi::Persistent(onWritable);
  onUnreachable_ = Napi::Persistent(onUnreachable);
  onPacketTooBig_ = Napi::Persistent(onPacketTooBig);
  onClosed_ = Napi::Persistent(onClosed);
  rowsReference_ = Napi::Persistent(info[1].As<Napi::Object>());
  slabReference_ = Napi::Persistent(info[2].As<Napi::Object>());
  room_ = {rows.data, capacity, slab.data, 0, slab.length, burstBytes};
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(info.Env(), &loop) != napi_ok) {
    Napi::Error::New(info.Env(), "no event loop").ThrowAsJavaScriptException();
    return;
  }
  loop_ = new LinkLoop(info.Env(), loop, options, *this);
}

SocketLinkBinding::~SocketLinkBinding() {
  if (loop_ == nullptr) return;
  loop_->detach();
  loop_->close();
}

/** Returns undefined, or { errno, syscall }. An open link keeps itself alive until it is closed. */
Napi::Value SocketLinkBinding::open(const Napi::CallbackInfo& info) {
  if (loop_ == nullptr || isOpen_) {
    Napi::Error::New(info.Env(), "a link is opened once").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  const SystemError error = loop_->open();
  isOpen_ = true;
  Ref();
  if (error.isError()) loop_->close();
  return systemError(info.Env(), error);
}

/** transmit(rows, count, headers, pieces, pieceSpans, pieceCount) */
Napi::Value SocketLinkBinding::transmit(const Napi::CallbackInfo& info) {
  TransmitRows batch{};
  if (!readTransmitRows(info, pieces_, batch)) return info.Env().Undefined();
  // What is sent over a closed link is lost, as it is on a network.
  const bool isDone = loop_ == nullptr || !isOpen_ || loop_->transmit(batch);
  return Napi::Boolean::New(info.Env(), isDone);
}

/** setSlab(slab): bursts go into a new slab from now on. Only between bursts. */
void SocketLinkBinding::setSlab(const Napi::CallbackInfo& info) {
  Bytes slab;
  if (!readBytes(info, 0, "slab", slab)) return;
  if (slab.length < PacketReceiver::kBytesNeeded) {
    throwTypeError(info.Env(), "slab", "large enough for one super-packet");
    return;
  }
  slabReference_ = Napi::Persistent(info[0].As<Napi::Object>());
  room_.slab = slab.data;
  room_.start = 0;
  room_.end = slab.length;
}

/** advance(start): bytes of the slab below belong to others now. */
void SocketLinkBinding::advance(const Napi::CallbackInfo& info) {
  uint32_t start = 0;
  if (!readCount(info, 0, "start", start)) return;
  if (start < room_.start || start + PacketReceiver::kBytesNeeded > room_.end) {
    throwTypeError(info.Env(), "start", "further on, with room for one super-packet behind it");
    return;
  }
  room_.start = start;
}

void SocketLinkBinding::reference(const Napi::CallbackInfo&) {
  if (loop_ != nullptr) loop_->setReference(true);
}

void SocketLinkBinding::unreference(const Napi::CallbackInfo&) {
  if (loop_ != nullptr) loop_->setReference(false);
}

/** Closes in the background; `closed` is called when all is gone. */
void SocketLinkBinding::close(const Napi::CallbackInfo&) {
  if (loop_ == nullptr) return;
  if (!isOpen_) {
    isOpen_ = true;
    Ref();
  }
  loop_->close();
}

void SocketLinkBinding::forgetSources(const Napi::CallbackInfo&) {
  if (loop_ != nullptr) loop_->link().forgetSources();
}

/** injectSendError(errno, times, segmentedOnly): for tests. */
void SocketLinkBinding::injectSendError(const Napi::CallbackInfo& info) {
  uint32_t error = 0, times = 0;
  if (!readCount(info, 0, "errno", error) || !readCount(info, 1, "times", times) || loop_ == nullptr) return;
  loop_->link().sender().inject({static_cast<int>(error), static_cast<int>(times), info[2].ToBoolean().Value()});
}

Napi::Value SocketLinkBinding::statistics(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  if (loop_ == nullptr) return result;
  const Statistics& statistics = loop_->link().statistics();
  for (const NamedCounter& counter : kCounters) {
    result.Set(counter.name, Napi::Number::New(info.Env(), static_cast<double>(statistics.*counter.counter)));
  }
  return result;
}

Napi::Value SocketLinkBinding::port(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), loop_ == nullptr ? 0 : loop_->link().port());
}

Napi::Value SocketLinkBinding::receiveBuffer(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), loop_ == nullptr ? 0 : static_cast<double>(loop_->link().receiveBuffer()));
}

ReceiveRoom SocketLinkBinding::room() {
  return room_;
}

void SocketLinkBinding::received(size_t rows) {
  Napi::HandleScope scope(Env());
  callFromLoop(Env(), onReceived_, {Napi::Number::New(Env(), static_cast<double>(rows))}, context_);
}

/** A callback of its own: behind the first the runtime has run its tick queue. */
void SocketLinkBinding::settled() {
  Napi::HandleScope scope(Env());
  callFromLoop(Env(), onSettled_, {}, context_);
}

void SocketLinkBinding::writable() {
  Napi::HandleScope scope(Env());
  callFromLoop(Env(), onWritable_, {}, context_);
}

void SocketLinkBinding::happened(const NetworkEvent& event) {
  Napi::HandleScope scope(Env());
  int32_t row[kAddressInts];
  event.address.toRow(row);
  std::vector<napi_value> values;
  for (const int32_t field : row) values.push_back(Napi::Number::New(Env(), field));
  if (event.kind == NetworkEvent::packetTooBig) values.push_back(Napi::Number::New(Env(), event.mtu));
  callFromLoop(Env(), event.kind == NetworkEvent::packetTooBig ? onPacketTooBig_ : onUnreachable_, values, context_);
}

void SocketLinkBinding::orphaned() {
  loop_ = nullptr;
}

void SocketLinkBinding::closed() {
  loop_ = nullptr;
  Napi::HandleScope scope(Env());
  callFromLoop(Env(), onClosed_, {}, context_);
  Unref();
}

}  // namespace serval
