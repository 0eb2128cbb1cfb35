// A path with delay, loss and reordering between two network namespaces: a TUN device in each, and this
// process between them. Stands in for netem, which test machines lack. Everything else of the path - routing,
// MTU, checksums - is the kernel's. Usage:
// relay NAMESPACE_A NAMESPACE_B MTU DELAY_MS LOSS REORDER SEED [RATE_MBIT QUEUE_BYTES [DEVICE [JITTER_MS FADE_MS]]]
//
// DELAY_MS is one way. LOSS and REORDER are probabilities; a reordered packet waits up to two delays longer. With a rate
// each direction is a link that sends one packet after the other, behind a queue that drops what does not fit. The device is
// called relay0 on both sides, or DEVICE. JITTER_MS is the most that a packet waits besides, in order with the others. With FADE_MS
// packets are lost while the path has faded, which it has for LOSS of the time, and so long on average.
// Prints "ready", and on SIGTERM one line of JSON with what it did.

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <csignal>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <queue>
#include <random>
#include <string>
#include <vector>

namespace {

struct Options {
  int mtu;
  double delay_ms;
  double loss;
  double reorder;
  unsigned seed;
  /** Nanoseconds that a byte takes; 0: no time at all. */
  double ns_per_byte;
  double queue_bytes;
  double jitter_ms;
  /** Mean times that a direction has faded, in which all is lost, and has not; 0: it never fades. */
  double fade_ms;
  double pause_ms;
};

struct Counts {
  uint64_t passed = 0, lost = 0, reordered = 0, overflowed = 0;
};

struct Packet {
  uint64_t due_ns;
  uint64_t order;
  int to;
  std::vector<char> bytes;
  bool operator>(const Packet& other) const {
    return due_ns != other.due_ns ? due_ns > other.due_ns : order > other.order;
  }
};

constexpr size_t kQueueLimit = 20000;
/** Packets taken in a row, before those that are due. */
constexpr int kReadLimit = 64;

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "relay: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

uint64_t Now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000000000ull + static_cast<uint64_t>(time.tv_nsec);
}

/** Opens a TUN device in the namespace; the descriptor stays usable from this one. */
int OpenTun(const std::string& name, const char* device) {
  const int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  const int there = open(("/var/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  if (home < 0 || there < 0) Fail("open namespace");
  if (setns(there, CLONE_NEWNET) != 0) Fail("enter namespace");
  const int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (tun < 0) Fail("open /dev/net/tun");
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strncpy(request.ifr_name, device, IFNAMSIZ - 1);
  if (ioctl(tun, TUNSETIFF, &request) != 0) Fail("make the TUN device");
  if (setns(home, CLONE_NEWNET) != 0) Fail("leave namespace");
  close(home);
  close(there);
  return tun;
}

class Relay {
 public:
  Relay(int a, int b, Options options) : tuns_{a, b}, options_(options), random_(options.seed) {}

  void Run(int timer, int signals) {
    pollfd waits[4] = {{tuns_[0], POLLIN, 0}, {tuns_[1], POLLIN, 0}, {timer, POLLIN, 0}, {signals, POLLIN, 0}};
    while ((waits[3].revents & POLLIN) == 0) {
      Arm(timer);
      if (poll(waits, 4, -1) < 0 && errno != EINTR) Fail("poll");
      for (int side = 0; side < 2; side++) {
        if (waits[side].revents & POLLIN) Receive(side);
      }
      Send();
    }
    std::printf("{\"passed\":%llu,\"lost\":%llu,\"reordered\":%llu,\"overflowed\":%llu}\n",
                static_cast<unsigned long long>(counts_.passed), static_cast<unsigned long long>(counts_.lost),
                static_cast<unsigned long long>(counts_.reordered), static_cast<unsigned long long>(counts_.overflowed));
  }

 private:
  void Receive(int side) {
    char buffer[65536];
    for (int count = 0; count < kReadLimit; count++) {
      const ssize_t length = read(tuns_[side], buffer, sizeof buffer);
      if (length <= 0) return;
      Take(side, buffer, static_cast<size_t>(length));
    }
  }

  void Take(int side, const char* bytes, size_t length) {
    std::uniform_real_distribution<double> chance(0, 1);
    if (IsLost(side, chance)) {
      counts_.lost++;
      return;
    }
    if (queue_.size() >= kQueueLimit) {
      counts_.overflowed++;
      return;
    }
    const uint64_t now = Now();
    const uint64_t sent = Transmit(side, now, length);
    if (sent == 0) {
      counts_.overflowed++;
      return;
    }
    double delay_ms = options_.delay_ms;
    if (chance(random_) < options_.reorder) {
      counts_.reordered++;
      delay_ms += 2 * options_.delay_ms * chance(random_) + 1;
    }
    uint64_t due = sent + static_cast<uint64_t>(delay_ms * 1e6);
    if (options_.jitter_ms > 0) {
      due += static_cast<uint64_t>(options_.jitter_ms * 1e6 * chance(random_));
      due = latest_due_[side] = std::max(due, latest_due_[side]);
    }
    queue_.push(Packet{due, order_++, tuns_[1 - side], std::vector<char>(bytes, bytes + length)});
  }

  bool IsLost(int side, std::uniform_real_distribution<double>& chance) {
    if (options_.fade_ms == 0) return chance(random_) < options_.loss;
    for (const uint64_t now = Now(); fades_at_[side] <= now; has_faded_[side] = !has_faded_[side]) {
      // The other state begins.
      const double mean_ms = has_faded_[side] ? options_.pause_ms : options_.fade_ms;
      if (fades_at_[side] == 0) fades_at_[side] = now;
      fades_at_[side] += static_cast<uint64_t>(std::exponential_distribution<double>(1 / mean_ms)(random_) * 1e6) + 1;
    }
    return has_faded_[side];
  }

  /** When the last byte of the packet has left; 0 when the queue before the link is full. */
  uint64_t Transmit(int side, uint64_t now, size_t length) {
    if (options_.ns_per_byte == 0) return now;
    const uint64_t start = std::max(now, free_at_[side]);
    const double waiting_bytes = static_cast<double>(start - now) / options_.ns_per_byte;
    if (waiting_bytes + static_cast<double>(length) > options_.queue_bytes) return 0;
    free_at_[side] = start + static_cast<uint64_t>(static_cast<double>(length) * options_.ns_per_byte);
    return free_at_[side];
  }

  void Send() {
    const uint64_t now = Now();
    while (!queue_.empty() && queue_.top().due_ns <= now) {
      const Packet& packet = queue_.top();
      if (write(packet.to, packet.bytes.data(), packet.bytes.size()) > 0) counts_.passed++;
      queue_.pop();
    }
  }

  void Arm(int timer) {
    itimerspec when{};
    if (!queue_.empty()) {
      const uint64_t due = std::max<uint64_t>(queue_.top().due_ns, 1);
      when.it_value.tv_sec = static_cast<time_t>(due / 1000000000ull);
      when.it_value.tv_nsec = static_cast<long>(due % 1000000000ull);
    }
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, nullptr);
  }

  int tuns_[2];
  /** When the link away from each side has sent everything that it took. */
  uint64_t free_at_[2] = {0, 0};
  uint64_t latest_due_[2] = {0, 0};
  /** The state of each direction, and when it changes. */
  bool has_faded_[2] = {true, true};
  uint64_t fades_at_[2] = {0, 0};
  Options options_;
  std::mt19937 random_;
  uint64_t order_ = 0;
  Counts counts_;
  std::priority_queue<Packet, std::vector<Packet>, std::greater<Packet>> queue_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8 && argc != 10 && argc != 11 && argc != 13) {
    std::fprintf(stderr,
                 "usage: relay NAMESPACE_A NAMESPACE_B MTU DELAY_MS LOSS REORDER SEED [RATE_MBIT QUEUE_BYTES "
                 "[DEVICE [JITTER_MS FADE_MS]]]\n");
    return 2;
  }
  const bool is_limited = argc >= 10;
  const char* device = argc >= 11 ? argv[10] : "relay0";
  const double loss = std::atof(argv[5]);
  const double fade_ms = argc == 13 && loss > 0 && loss < 1 ? std::atof(argv[12]) : 0;
  const Options options{std::atoi(argv[3]),
                        std::atof(argv[4]),
                        loss,
                        std::atof(argv[6]),
                        static_cast<unsigned>(std::atoi(argv[7])),
                        is_limited ? 8000 / std::atof(argv[8]) : 0,
                        is_limited ? std::atof(argv[9]) : 0,
                        argc == 13 ? std::atof(argv[11]) : 0,
                        fade_ms,
                        fade_ms > 0 ? fade_ms * (1 - loss) / loss : 0};
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  const int signals = signalfd(-1, &ends, SFD_CLOEXEC);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (signals < 0 || timer < 0) Fail("make descriptors");
  Relay relay(OpenTun(argv[1], device), OpenTun(argv[2], device), options);
  std::printf("ready\n");
  std::fflush(stdout);
  relay.Run(timer, signals);
  return 0;
}
