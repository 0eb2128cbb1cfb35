#include "transmit_arguments.h"

#include "arguments.h"

namespace serval {

namespace {

/** The buffer that the last piece was of: what a router passes on is all in one. */
struct Buffer {
  napi_value value = nullptr;
  const uint8_t* data = nullptr;
  size_t length = 0;
};

/** The plain calls of Node-API: this runs once for every piece that is sent. */
bool readBuffer(napi_env env, napi_value pieces, uint32_t index, Buffer& buffer) {
  napi_value value;
  if (napi_get_element(env, pieces, index, &value) != napi_ok) return false;
  bool isSame = false;
  if (buffer.value != nullptr && napi_strict_equals(env, value, buffer.value, &isSame) == napi_ok && isSame) return true;
  napi_typedarray_type type;
  void* data = nullptr;
  bool isTypedArray = false;
  if (napi_is_typedarray(env, value, &isTypedArray) != napi_ok || !isTypedArray ||
      napi_get_typedarray_info(env, value, &type, &buffer.length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    return false;
  }
  buffer.value = value;
  buffer.data = static_cast<const uint8_t*>(data);
  return true;
}

bool readPiece(const Buffer& buffer, const int32_t* span, Piece& piece) {
  if (span[0] < 0 || span[1] < 0) return false;
  const auto start = static_cast<size_t>(span[0]);
  const auto bytes = static_cast<size_t>(span[1]);
  if (start + bytes > buffer.length) return false;
  piece = {buffer.data + start, bytes};
  return true;
}

bool readPieces(const Napi::CallbackInfo& info, uint32_t count, std::vector<Piece>& pieces) {
  Integers spans;
  if (!readIntegers(info, 4, "pieceSpans", spans)) return false;
  const napi_env env = info.Env();
  uint32_t length = 0;
  if (!info[3].IsArray() || napi_get_array_length(env, info[3], &length) != napi_ok || length < count ||
      spans.length < size_t{count} * 2) {
    throwTypeError(env, "pieces", "an array with a buffer and a span for each piece");
    return false;
  }
  pieces.resize(count);
  Buffer buffer;
  for (uint32_t index = 0; index < count; index++) {
    const int32_t* const span = spans.data + size_t{index} * 2;
    if (readBuffer(env, info[3], index, buffer) && readPiece(buffer, span, pieces[index])) continue;
    throwTypeError(env, "pieces", "Uint8Arrays with spans inside of them");
    return false;
  }
  return true;
}

}  // namespace

bool readTransmitRows(const Napi::CallbackInfo& info, std::vector<Piece>& pieces, TransmitRows& batch) {
  Integers rows;
  Bytes headers;
  uint32_t count = 0, pieceCount = 0;
  if (!readIntegers(info, 0, "rows", rows) || !readCount(info, 1, "count", count) ||
      !readBytes(info, 2, "headers", headers) || !readCount(info, 5, "pieceCount", pieceCount) ||
      !readPieces(info, pieceCount, pieces)) {
    return false;
  }
  if (count > rows.length / transmit::kRowInts) {
    throwTypeError(info.Env(), "count", "no more than there are rows");
    return false;
  }
  batch = {rows.data, count, headers.data, headers.length, pieces.data(), pieces.size()};
  const char* const fault = findFault(batch);
  if (fault == nullptr) return true;
  napi_throw_range_error(info.Env(), "ERR_OUT_OF_RANGE", fault);
  return false;
}

}  // namespace serval
