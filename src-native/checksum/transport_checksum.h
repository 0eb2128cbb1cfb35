// TCP and UDP checksums behind a SAL header, for raw IP links: the pseudo header has protocol 6 or 17, never
// 144, and the transport's length without the SAL header.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

#include "../socket/socket_address.h"

namespace serval {

/** Where the checksum stands in the transport part; -1 when there is none, or no room for one. */
int transportChecksumField(uint8_t protocol, size_t length);

/**
 * Fills in the checksum of the SAL packet in `parts`. The first part holds the SAL header and at least the
 * transport header's fixed fields.
 */
void sealTransportChecksum(const iovec* parts, size_t count, const SocketAddress& source,
                           const SocketAddress& destination);

/** Whether the checksum of a received packet is right; UDP may have none (the original's SYN-ACK). */
bool hasValidTransportChecksum(const uint8_t* packet, size_t length, const SocketAddress& source,
                               const SocketAddress& destination);

}  // namespace serval
