// A stream over raw sockets of IP protocol 144 with as little as it can do: packets of the MTU's size, a window of 1 MB,
// an acknowledgment for each 32 of them. No checksums, no retransmission, no congestion control: what the system calls cost.
//
// raw-stream receive WARM_UP_MS MEASURED_MS    prints the payload bytes that arrived in the measured time, and ends
// raw-stream send ADDRESS                      sends until it is killed

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
  PROTOCOL = 144,
  MTU = 1500,
  IP_HEADER = 20,
  /** As much as serval's headers take, so that both carry the same payload. */
  HEADER = 32,
  PAYLOAD = MTU - IP_HEADER - HEADER,
  WINDOW = 1000000,
  BURST = 64,
  /** Packets for which one acknowledgment does: more of them keep the sender from its work. */
  ACKNOWLEDGED_AT_ONCE = 32,
  /** Those of serval's link. */
  SOCKET_BUFFER = 4 * 1024 * 1024,
  /** After so long without an acknowledgment packets were lost: they are given up. */
  PATIENCE_MS = 100,
};

struct header {
  uint64_t position;
  uint8_t rest[HEADER - sizeof(uint64_t)];
};

static struct mmsghdr messages[BURST];
static struct iovec vectors[BURST][2];
static struct header headers[BURST];
static uint8_t payload[BURST][MTU];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static int open_socket(void) {
  const int number = socket(AF_INET, SOCK_RAW, PROTOCOL);
  if (number < 0) fail("socket");
  const int size = SOCKET_BUFFER;
  if (setsockopt(number, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0) fail("SO_SNDBUFFORCE");
  if (setsockopt(number, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) fail("SO_RCVBUFFORCE");
  return number;
}

static void receive(int number, uint64_t warm_up, uint64_t measured) {
  static uint8_t packets[BURST][MTU];
  struct sockaddr_in from;
  for (int slot = 0; slot < BURST; slot++) {
    vectors[slot][0] = (struct iovec){packets[slot], MTU};
    messages[slot].msg_hdr = (struct msghdr){.msg_iov = vectors[slot], .msg_iovlen = 1};
  }
  messages[0].msg_hdr.msg_name = &from;
  uint64_t begin = 0;
  uint64_t bytes = 0;
  int unacknowledged = 0;
  for (;;) {
    messages[0].msg_hdr.msg_namelen = sizeof from;
    const int count = recvmmsg(number, messages, BURST, MSG_WAITFORONE, NULL);
    if (count < 0) fail("recvmmsg");
    const uint64_t now = now_ms();
    if (begin == 0) begin = now + warm_up;
    if (now < begin) bytes = 0;
    if (now >= begin + measured) break;
    struct header acknowledgment = {0};
    for (int slot = 0; slot < count; slot++) {
      memcpy(&acknowledgment, packets[slot] + IP_HEADER, sizeof acknowledgment);
      bytes += messages[slot].msg_len - IP_HEADER - HEADER;
    }
    unacknowledged += count;
    if (unacknowledged < ACKNOWLEDGED_AT_ONCE) continue;
    unacknowledged = 0;
    acknowledgment.position += PAYLOAD;
    if (sendto(number, &acknowledgment, sizeof acknowledgment, 0, (struct sockaddr *)&from, sizeof from) < 0) fail("sendto");
  }
  printf("%llu\n", (unsigned long long)bytes);
}

/** The furthest position acknowledged; waits for one where `flags` allow it. */
static uint64_t read_acknowledgments(int number, uint64_t acknowledged, uint64_t sent, int flags) {
  uint8_t packet[MTU];
  for (;; flags = MSG_DONTWAIT) {
    const ssize_t length = recv(number, packet, sizeof packet, flags);
    if (length < 0 && flags == 0 && errno == EAGAIN) return sent;
    if (length < 0 && (errno == EAGAIN || errno == ENOPROTOOPT)) return acknowledged;
    if (length < 0) fail("recv");
    struct header header;
    memcpy(&header, packet + IP_HEADER, sizeof header);
    if (header.position > acknowledged) acknowledged = header.position;
  }
}

static void send_stream(int number, const char *address) {
  struct sockaddr_in to = {.sin_family = AF_INET};
  if (inet_pton(AF_INET, address, &to.sin_addr) != 1) fail("address");
  if (connect(number, (struct sockaddr *)&to, sizeof to) != 0) fail("connect");
  const struct timeval patience = {0, PATIENCE_MS * 1000};
  if (setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) fail("SO_RCVTIMEO");
  for (int slot = 0; slot < BURST; slot++) {
    vectors[slot][0] = (struct iovec){&headers[slot], HEADER};
    vectors[slot][1] = (struct iovec){payload[slot], PAYLOAD};
    messages[slot].msg_hdr = (struct msghdr){.msg_iov = vectors[slot], .msg_iovlen = 2};
  }
  uint64_t sent = 0;
  uint64_t acknowledged = 0;
  for (;;) {
    while (sent - acknowledged + BURST * PAYLOAD <= WINDOW) {
      for (int slot = 0; slot < BURST; slot++) headers[slot].position = sent + (uint64_t)slot * PAYLOAD;
      const int count = sendmmsg(number, messages, BURST, 0);
      // ICMP says that the receiver is not there yet, or not any more.
      if (count < 0 && errno == ENOPROTOOPT) continue;
      if (count < 0) fail("sendmmsg");
      sent += (uint64_t)count * PAYLOAD;
      acknowledged = read_acknowledgments(number, acknowledged, sent, MSG_DONTWAIT);
    }
    acknowledged = read_acknowledgments(number, acknowledged, sent, 0);
  }
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "receive") == 0) {
    receive(open_socket(), strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
    return 0;
  }
  if (argc == 3 && strcmp(argv[1], "send") == 0) send_stream(open_socket(), argv[2]);
  fprintf(stderr, "usage: raw-stream receive WARM_UP_MS MEASURED_MS | raw-stream send ADDRESS\n");
  return 2;
}
