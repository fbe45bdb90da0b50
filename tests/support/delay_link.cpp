// SPDX-License-Identifier: BSD-3-Clause
// delay_link MICROSECONDS MBIT HOST...: joins network namespaces by a slow network, for kernels without
// netem.
//
// Each host gets a TAP device "slow0". A frame that a host sends occupies its link for size / MBIT, and
// reaches the others MICROSECONDS after its last bit: what a switch with one cable to each host does. Returns
// once the devices are there; a process of its own then carries the frames until it is killed.
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

struct Frame {
  Clock::time_point due;
  std::vector<char> bytes;
};

/// The cable between a host and the switch.
struct Port {
  int device = -1;
  Clock::time_point free_at{};  // the last frame's last bit has left
  std::deque<Frame> under_way;  // sent by this host
};

[[noreturn]] void fail(const std::string& what) {
  std::perror(what.c_str());
  std::exit(1);
}

Port make_port(const std::string& host) {
  const int space = open(("/run/netns/" + host).c_str(), O_RDONLY | O_CLOEXEC);
  if (space < 0 || setns(space, CLONE_NEWNET) != 0) fail(host);
  close(space);
  Port port;
  port.device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (port.device < 0) fail("/dev/net/tun");
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  std::strcpy(request.ifr_name, "slow0");
  if (ioctl(port.device, TUNSETIFF, &request) != 0) fail("TUNSETIFF");
  return port;
}

/// Takes over all frames that the host of `port` has sent.
void accept(Port& port, nanoseconds delay, double nanoseconds_per_byte) {
  constexpr auto longest_queue = std::chrono::milliseconds(200);  // beyond it, frames are lost as in a switch
  std::array<char, 70000> buffer;
  while (true) {
    const ssize_t size = read(port.device, buffer.data(), buffer.size());
    if (size <= 0) return;
    const Clock::time_point now = Clock::now(), start = std::max(now, port.free_at);
    if (start - now > longest_queue) continue;
    port.free_at =
        start + nanoseconds(static_cast<std::int64_t>(static_cast<double>(size) * nanoseconds_per_byte));
    port.under_way.push_back({port.free_at + delay, {buffer.data(), buffer.data() + size}});
  }
}

/// Hands the frames that are due to all other hosts, whose kernels ignore those that are not for them.
void deliver(std::vector<Port>& ports) {
  const Clock::time_point now = Clock::now();
  for (Port& from : ports) {
    for (; !from.under_way.empty() && from.under_way.front().due <= now; from.under_way.pop_front()) {
      const std::vector<char>& bytes = from.under_way.front().bytes;
      for (const Port& to : ports) {
        // A full device loses the frame, as a cable would.
        if (&to != &from && write(to.device, bytes.data(), bytes.size()) < 0) continue;
      }
    }
  }
}

/// Sleeps until a host sends or a frame is due.
void wait(const std::vector<Port>& ports) {
  std::vector<pollfd> devices;
  Clock::time_point next = Clock::time_point::max();
  for (const Port& port : ports) {
    devices.push_back({port.device, POLLIN, 0});
    if (!port.under_way.empty()) next = std::min(next, port.under_way.front().due);
  }
  timespec timeout{};
  if (next != Clock::time_point::max()) {
    timeout.tv_nsec = std::clamp<std::int64_t>((next - Clock::now()).count(), 0, 999'999'999);
  }
  ppoll(devices.data(), devices.size(), next == Clock::time_point::max() ? nullptr : &timeout, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: delay_link MICROSECONDS MBIT HOST...\n");
    return 2;
  }
  const nanoseconds delay = std::chrono::microseconds(std::atoll(argv[1]));
  const double nanoseconds_per_byte = 8000 / std::atof(argv[2]);
  std::vector<Port> ports;
  for (int i = 3; i < argc; ++i) ports.push_back(make_port(argv[i]));
  prctl(PR_SET_TIMERSLACK, 1000);
  const pid_t child = fork();
  if (child < 0) fail("fork");
  if (child > 0) return 0;
  while (true) {
    deliver(ports);
    wait(ports);
    for (Port& port : ports) accept(port, delay, nanoseconds_per_byte);
  }
}
