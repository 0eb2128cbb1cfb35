#include "wire_functions.h"

#include <cstring>
#include <vector>

#include "../checksum/internet_checksum.h"
#include "../checksum/transport_checksum.h"
#include "../socket/path_lookup.h"
#include "../train/packet_cutter.h"
#include "../train/train_joiner.h"
#include "../train/wire_format.h"
#include "arguments.h"
#include "transmit_arguments.h"

namespace serval {

namespace {

template <size_t count>
Napi::Object objectOf(Napi::Env env, const NamedValue (&values)[count]) {
  Napi::Object object = Napi::Object::New(env);
  for (const NamedValue& value : values) object.Set(value.name, Napi::Number::New(env, value.value));
  return object;
}

/** rowLayout(): the layout that this addon was built with. */
Napi::Value rowLayout(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object layout = Napi::Object::New(env);
  layout.Set("receivedField", objectOf(env, kReceivedFields));
  layout.Set("receivedRowInts", Napi::Number::New(env, received::kRowInts));
  layout.Set("rowKind", objectOf(env, kRowKinds));
  layout.Set("rowFlag", objectOf(env, kRowFlags));
  layout.Set("transmitField", objectOf(env, kTransmitFields));
  layout.Set("transmitRowInts", Napi::Number::New(env, transmit::kRowInts));
  layout.Set("transmitFlag", objectOf(env, kTransmitFlags));
  return layout;
}

/** internetChecksum(bytes, cutAt): over bytes in two parts, cut at `cutAt`. */
Napi::Value checksumOfParts(const Napi::CallbackInfo& info) {
  Bytes bytes;
  uint32_t cutAt = 0;
  if (!readBytes(info, 0, "bytes", bytes) || !readCount(info, 1, "cutAt", cutAt)) return info.Env().Undefined();
  if (cutAt > bytes.length) {
    throwTypeError(info.Env(), "cutAt", "inside of bytes");
    return info.Env().Undefined();
  }
  InternetChecksum checksum;
  checksum.add(bytes.data, cutAt);
  checksum.add(bytes.data + cutAt, bytes.length - cutAt);
  return Napi::Number::New(info.Env(), checksum.finish());
}

/** sealTransportChecksum(packet, source, destination): fills it in, in place. */
Napi::Value sealPacket(const Napi::CallbackInfo& info) {
  Bytes packet;
  int32_t source[kAddressInts], destination[kAddressInts];
  if (!readBytes(info, 0, "packet", packet) || !readAddress(info, 1, "source", source) ||
      !readAddress(info, 2, "destination", destination)) {
    return info.Env().Undefined();
  }
  if (packet.length < kSalHeaderBytes) return info.Env().Undefined();
  const iovec part = {packet.data, packet.length};
  sealTransportChecksum(&part, 1, SocketAddress::fromRow(source), SocketAddress::fromRow(destination));
  return info.Env().Undefined();
}

/** cutTrains(rows, count, headers, pieces, pieceSpans, pieceCount, whole): every packet, as a copy. */
Napi::Value cutTrains(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<Piece> pieces;
  TransmitRows batch{};
  if (!readTransmitRows(info, pieces, batch)) return env.Undefined();
  Napi::Array packets = Napi::Array::New(env);
  uint32_t total = 0;
  for (size_t row = 0; row < batch.count; row++) {
    PacketCutter cutter(batch, row, info[6].ToBoolean().Value());
    while (!cutter.isDone()) {
      GatherArena arena(cutter.arenaBytes(), cutter.arenaVectors());
      std::vector<uint8_t> packet;
      cutter.cut(arena);
      for (size_t index = 0; index < arena.messageVectorCount(); index++) {
        const iovec& vector = arena.messageVectors()[index];
        const auto* const bytes = static_cast<const uint8_t*>(vector.iov_base);
        packet.insert(packet.end(), bytes, bytes + vector.iov_len);
      }
      packets.Set(total++, Napi::Buffer<uint8_t>::Copy(env, packet.data(), packet.size()));
    }
  }
  return packets;
}

constexpr const char* kRefusalNames[] = {"", "truncated", "badCheck", "tcpTruncated", "tcpHeaderLength",
                                         "badTransportChecksum"};

/**
 * joinTrains(packets, origins, rows, slab, transportChecksums): appends each packet, of which `origins` has
 * source, local address and flags in 11 integers. Returns { count, refusals }.
 */
Napi::Value joinTrains(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Integers origins, rows;
  Bytes slab;
  if (!info[0].IsArray()) throwTypeError(env, "packets", "an array");
  if (env.IsExceptionPending() || !readIntegers(info, 1, "origins", origins) ||
      !readIntegers(info, 2, "rows", rows) || !readBytes(info, 3, "slab", slab)) {
    return env.Undefined();
  }
  const Napi::Array packets = info[0].As<Napi::Array>();
  TrainJoiner joiner(info[4].ToBoolean().Value());
  joiner.begin(rows.data, rows.length / received::kRowInts, slab.data, 0, slab.length);
  Napi::Array refusals = Napi::Array::New(env);
  constexpr size_t kOriginInts = 2 * kAddressInts + 1;
  for (uint32_t index = 0; index < packets.Length(); index++) {
    const Napi::Value value = packets.Get(index);
    if (!value.IsTypedArray() || origins.length < (index + size_t{1}) * kOriginInts) {
      throwTypeError(env, "packets", "Uint8Arrays, each with an origin");
      return env.Undefined();
    }
    const auto packet = value.As<Napi::Uint8Array>();
    if (joiner.rowsLeft() == 0 || joiner.bytesLeft() < packet.ByteLength()) {
      throwTypeError(env, "rows and slab", "large enough");
      return env.Undefined();
    }
    const int32_t* const from = origins.data + index * kOriginInts;
    Origin origin;
    origin.set(SocketAddress::fromRow(from), SocketAddress::fromRow(from + kAddressInts), from[2 * kAddressInts]);
    const Refusal refusal = joiner.append(origin, packet.Data(), packet.ByteLength());
    refusals.Set(index, Napi::String::New(env, kRefusalNames[static_cast<size_t>(refusal)]));
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("count", Napi::Number::New(env, static_cast<double>(joiner.count())));
  result.Set("refusals", refusals);
  return result;
}

/** pathMtu(address): bytes, 0 without a route. */
Napi::Value pathMtuTo(const Napi::CallbackInfo& info) {
  int32_t row[kAddressInts];
  if (!readAddress(info, 0, "address", row)) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), pathMtu(SocketAddress::fromRow(row)));
}

}  // namespace

void defineWireFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("rowLayout", Napi::Function::New<rowLayout>(env, "rowLayout"));
  exports.Set("internetChecksum", Napi::Function::New<checksumOfParts>(env, "internetChecksum"));
  exports.Set("sealTransportChecksum", Napi::Function::New<sealPacket>(env, "sealTransportChecksum"));
  exports.Set("cutTrains", Napi::Function::New<cutTrains>(env, "cutTrains"));
  exports.Set("joinTrains", Napi::Function::New<joinTrains>(env, "joinTrains"));
  exports.Set("pathMtu", Napi::Function::New<pathMtuTo>(env, "pathMtu"));
}

}  // namespace serval
