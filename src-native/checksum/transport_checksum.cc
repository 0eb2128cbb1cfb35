#include "transport_checksum.h"

#include "../train/wire_format.h"
#include "internet_checksum.h"

namespace serval {

namespace {

size_t totalOf(const iovec* parts, size_t count) {
  size_t total = 0;
  for (size_t index = 0; index < count; index++) total += parts[index].iov_len;
  return total;
}

InternetChecksum pseudoHeader(uint8_t protocol, size_t length, const SocketAddress& source,
                              const SocketAddress& destination) {
  InternetChecksum checksum;
  checksum.add(source.ipBytes(), source.ipLength());
  checksum.add(destination.ipBytes(), destination.ipLength());
  checksum.addNumber(protocol);
  checksum.addNumber(static_cast<uint16_t>(length));
  return checksum;
}

}  // namespace

int transportChecksumField(uint8_t protocol, size_t length) {
  if (protocol == kProtocolTcp && length >= kTcpHeaderBytes) return kTcpChecksum;
  if (protocol == kProtocolUdp && length >= kUdpHeaderBytes) return kUdpChecksum;
  return -1;
}

void sealTransportChecksum(const iovec* parts, size_t count, const SocketAddress& source,
                           const SocketAddress& destination) {
  if (count == 0 || parts[0].iov_len < kSalHeaderBytes) return;
  auto* const packet = static_cast<uint8_t*>(parts[0].iov_base);
  const size_t start = salHeaderLength(packet);
  const size_t total = totalOf(parts, count);
  const uint8_t protocol = packet[kSalProtocol];
  const int field = total < start ? -1 : transportChecksumField(protocol, total - start);
  if (field < 0 || parts[0].iov_len < start + static_cast<size_t>(field) + 2) return;
  uint8_t* const at = packet + start + field;
  writeUint16(at, 0);
  InternetChecksum checksum = pseudoHeader(protocol, total - start, source, destination);
  checksum.add(packet + start, parts[0].iov_len - start);
  for (size_t index = 1; index < count; index++) {
    checksum.add(static_cast<const uint8_t*>(parts[index].iov_base), parts[index].iov_len);
  }
  const uint16_t value = checksum.finish();
  writeUint16(at, value == 0 && protocol == kProtocolUdp ? 0xffff : value);
}

bool hasValidTransportChecksum(const uint8_t* packet, size_t length, const SocketAddress& source,
                               const SocketAddress& destination) {
  if (length < kSalHeaderBytes) return true;
  const size_t start = salHeaderLength(packet);
  if (start > length) return true;
  const uint8_t protocol = packet[kSalProtocol];
  const int field = transportChecksumField(protocol, length - start);
  if (field < 0) return true;
  if (protocol == kProtocolUdp && readUint16(packet + start + field) == 0) return true;
  InternetChecksum checksum = pseudoHeader(protocol, length - start, source, destination);
  checksum.add(packet + start, length - start);
  return checksum.finish() == 0;
}

}  // namespace serval
