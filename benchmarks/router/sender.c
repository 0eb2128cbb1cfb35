// Sends datagrams faster than a router passes them on: up to 64 in one system call, cut apart by the kernel in
// software before they reach the device (the caller has switched its tx-udp-segmentation off), so that they are
// packets of their own on the way.
//
//   sender FILE PACKET_BYTES PORT MILLISECONDS PAUSE_US ADDRESS...
//
// FILE: packets of PACKET_BYTES each, sent one after the other and over again, each call's to the next of the
// addresses. MILLISECONDS 0: each packet once. Prints how many were sent.

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define SEGMENTS_MAXIMUM 64
#define MESSAGE_MAXIMUM 65000
#define ADDRESSES_MAXIMUM 64

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static uint64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint8_t* read_all(const char* path, size_t* length) {
  FILE* const file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) fail(path);
  *length = (size_t)ftell(file);
  rewind(file);
  uint8_t* const bytes = malloc(*length);
  if (bytes == NULL || fread(bytes, 1, *length, file) != *length) fail(path);
  fclose(file);
  return bytes;
}

int main(int count, char** values) {
  if (count < 7 || count - 6 > ADDRESSES_MAXIMUM) return 2;
  size_t length = 0;
  uint8_t* const bytes = read_all(values[1], &length);
  const size_t packet = (size_t)atoi(values[2]);
  const uint64_t duration = (uint64_t)atoll(values[4]);
  const useconds_t pause = (useconds_t)atoi(values[5]);
  const int address_count = count - 6;
  struct sockaddr_in addresses[ADDRESSES_MAXIMUM] = {0};
  for (int index = 0; index < address_count; index++) {
    addresses[index].sin_family = AF_INET;
    addresses[index].sin_port = htons((uint16_t)atoi(values[3]));
    if (inet_pton(AF_INET, values[6 + index], &addresses[index].sin_addr) != 1) return 2;
  }
  const int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
  const int segment = (int)packet;
  if (descriptor < 0 || setsockopt(descriptor, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) != 0) fail("socket");

  size_t per_call = MESSAGE_MAXIMUM / packet;
  if (per_call > SEGMENTS_MAXIMUM) per_call = SEGMENTS_MAXIMUM;
  const uint64_t end = milliseconds() + duration;
  uint64_t sent = 0;
  size_t at = 0;
  for (uint64_t call = 0;; call++) {
    if (duration > 0 && (call & 15) == 0 && milliseconds() >= end) break;
    const size_t rest = length - at;
    const size_t bytes_now = rest < per_call * packet ? rest : per_call * packet;
    const struct sockaddr_in* const to = &addresses[call % (uint64_t)address_count];
    const ssize_t done = sendto(descriptor, bytes + at, bytes_now, 0, (const struct sockaddr*)to, sizeof *to);
    if (done < 0) {
      // A full device queue, or an ICMP error of an earlier packet.
      if (errno == ENOBUFS || errno == ECONNREFUSED || errno == EAGAIN || errno == EINTR) continue;
      fail("sendto");
    }
    sent += bytes_now / packet;
    at += bytes_now;
    if (at == length) {
      if (duration == 0) break;
      at = 0;
    }
    if (pause > 0) usleep(pause);
  }
  printf("%llu\n", (unsigned long long)sent);
  return 0;
}
