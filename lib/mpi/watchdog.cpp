// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/watchdog.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <list>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <thread>

#include "base/activity.hpp"
#include "base/error.hpp"
#include "mpi/heartbeat.hpp"
#include "mpi/session.hpp"

namespace whorl::mpi {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Kind = Heartbeat::Kind;

constexpr auto period = milliseconds(500);
/// A thread that wakes up so late was not slow but stopped, and so may all others have been.
constexpr auto suspended = std::chrono::seconds(5);
constexpr int unknown_rank = -1;

struct Watched {
  Link link;
  int rank = unknown_rank;  // until it has shown the token
  Clock::time_point heard = Clock::now();
  std::string activity = "set-up";
  bool has_left = false, is_warned_of = false;
};

std::string random_token() {
  std::random_device device;
  std::string token;
  for (int i = 0; i < 4; ++i) token += fmt::format("{:08x}", device());
  return token;
}

/// "ranks 0, 3: all-reduce, step 12": a line for each activity.
std::string activities_text(const std::map<std::string, std::vector<int>>& ranks_by_activity) {
  std::string text;
  for (const auto& [activity, ranks] : ranks_by_activity)
    text += fmt::format("  rank{} {}: {}\n", ranks.size() == 1 ? "" : "s", fmt::join(ranks, ", "), activity);
  return text;
}

void tell(const std::string& text) {
  fmt::print(stderr, "{}", text);
  std::fflush(stderr);
}

/// Rank 0 needs a descriptor for each other rank.
void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

struct Watchdog::Impl {
  int rank = 0;
  std::chrono::duration<double> limit{};
  std::string token;
  std::vector<std::string> hosts;    // by rank
  std::optional<Listener> listener;  // of rank 0
  std::list<Watched> watched;        // the thread's own once it runs
  Socket wake_up;                    // an eventfd that ends the thread
  std::jthread thread;               // last: joined before anything above goes

  Heartbeat heartbeat(Kind kind) const;
  void send_to_all(Kind kind);
  bool join(const std::vector<std::string>& addresses, std::uint16_t port);
  void run(const std::stop_token& stop);
  void wait_for_news();
  void listen_to(Watched& other);
  std::string name_of(const Watched& other) const;
  void check(Watched& other, Clock::time_point now);
  [[noreturn]] void end_job(const Watched& lost, const std::string& why);
  std::string others_text(const Watched& lost) const;
  void tell_loss_of_root(const std::string& loss) const;
};

Heartbeat Watchdog::Impl::heartbeat(Kind kind) const {
  Heartbeat heartbeat{.rank = rank, .kind = kind};
  std::copy_n(token.begin(), heartbeat.token.size(), heartbeat.token.begin());
  heartbeat.set_activity(activity());
  return heartbeat;
}

void Watchdog::Impl::send_to_all(Kind kind) {
  const Heartbeat message = heartbeat(kind);
  for (Watched& other : watched) {
    if (other.rank != unknown_rank) other.link.send(message);
  }
}

/// A rank other than 0 looks for an address at which rank 0 answers with the token.
bool Watchdog::Impl::join(const std::vector<std::string>& addresses, std::uint16_t port) {
  for (const std::string& address : addresses) {
    std::optional<Link> link = Link::connect(address, port);
    if (!link) continue;
    link->send(heartbeat(Kind::alive));
    Watched root{.link = std::move(*link)};
    pollfd answer{root.link.descriptor(), POLLIN, 0};
    if (::poll(&answer, 1, 2000) == 1) listen_to(root);
    if (root.rank != 0) {
      root.link.send(heartbeat(Kind::leaving));  // rank 0 may only be late: this must not look like a death
      continue;
    }
    watched.push_back(std::move(root));
    return true;
  }
  return false;
}

void Watchdog::Impl::run(const std::stop_token& stop) {
  Clock::time_point looked = Clock::now(), sent{};
  while (!stop.stop_requested()) {
    const Clock::time_point now = Clock::now();
    if (now - looked > suspended) {
      for (Watched& other : watched) other.heard = now;
    }
    looked = now;
    if (now - sent >= period) {
      send_to_all(Kind::alive);
      sent = now;
    }
    for (Watched& other : watched) {
      listen_to(other);
      check(other, now);
    }
    watched.remove_if([](const Watched& other) { return other.has_left; });
    wait_for_news();
  }
  send_to_all(Kind::leaving);
}

void Watchdog::Impl::wait_for_news() {
  std::vector<pollfd> news{{wake_up.get(), POLLIN, 0}};
  if (listener) news.push_back({listener->descriptor(), POLLIN, 0});
  for (const Watched& other : watched) news.push_back({other.link.descriptor(), POLLIN, 0});
  ::poll(news.data(), news.size(), static_cast<int>(period.count()));
  if (!listener) return;
  while (std::optional<Link> link = listener->accept()) watched.push_back({.link = std::move(*link)});
}

void Watchdog::Impl::listen_to(Watched& other) {
  for (const Heartbeat& message : other.link.receive()) {
    const bool is_ours = std::equal(token.begin(), token.end(), message.token.begin(), message.token.end());
    const bool is_rank = message.rank >= 0 && message.rank < static_cast<int>(hosts.size());
    if (!is_ours || !is_rank || message.kind == Kind::leaving) {
      other.has_left = true;
      return;
    }
    if (message.kind == Kind::ending) std::_Exit(EXIT_FAILURE);  // that rank has said why
    other.heard = Clock::now();
    other.is_warned_of = false;
    other.activity = message.activity_text();
    if (std::exchange(other.rank, message.rank) == unknown_rank && listener)
      other.link.send(heartbeat(Kind::alive));
  }
}

std::string Watchdog::Impl::name_of(const Watched& other) const {
  return fmt::format("rank {} (host {})", other.rank, hosts[static_cast<std::size_t>(other.rank)]);
}

void Watchdog::Impl::check(Watched& other, Clock::time_point now) {
  const std::chrono::duration<double> silence = now - other.heard;
  if (other.rank == unknown_rank && (other.link.is_broken() || silence > suspended)) other.has_left = true;
  if (other.rank == unknown_rank || other.has_left) return;
  if (other.link.is_broken()) end_job(other, "is gone");
  // mpirun may notice a lost host first and end the job without naming a rank.
  if (silence > limit / 2 && rank <= 1 && !std::exchange(other.is_warned_of, true))
    fmt::print(stderr,
               "warning: {} has not answered for {:.0f} s; its last phase: {}; the job ends after {:.0f} s\n",
               name_of(other), silence.count(), other.activity, limit.count());
  if (silence > limit)
    end_job(other,
            fmt::format("has not answered for {:.0f} s (watchdog: {:g} s)", silence.count(), limit.count()));
}

void Watchdog::Impl::end_job(const Watched& lost, const std::string& why) {
  const std::string loss = fmt::format("error: {} {}; its last phase: {}. This ends the job. The others:\n",
                                       name_of(lost), why, lost.activity);
  if (rank == 0) {
    tell(loss + others_text(lost));
  } else {
    tell_loss_of_root(loss);
  }
  send_to_all(Kind::ending);
  std::_Exit(EXIT_FAILURE);
}

/// Of this rank, which is 0, and all but the lost one.
std::string Watchdog::Impl::others_text(const Watched& lost) const {
  std::map<std::string, std::vector<int>> ranks_by_activity;
  ranks_by_activity[activity()].push_back(rank);
  for (const Watched& other : watched) {
    if (&other != &lost && other.rank != unknown_rank)
      ranks_by_activity[other.activity].push_back(other.rank);
  }
  for (auto& entry : ranks_by_activity) std::sort(entry.second.begin(), entry.second.end());
  return activities_text(ranks_by_activity);
}

/// All ranks notice at about the same time, and know of no other: each tells its own phase. The lowest speaks
/// for all, and by its end mpirun or srun ends the others; these wait for that, and speak where it does not
/// come.
void Watchdog::Impl::tell_loss_of_root(const std::string& loss) const {
  const std::string own = activities_text({{activity(), {rank}}});
  const auto turn = std::chrono::seconds(2);
  if (rank == 1) {
    tell(loss + own);
    std::this_thread::sleep_for(turn / 2);  // for the others to tell theirs
  } else {
    tell(own);
    std::this_thread::sleep_for(turn * std::min(rank, 4));
    tell(loss);
  }
}

Watchdog::Watchdog(const Communicator& comm, double limit) {
  if (limit <= 0 || comm.size() == 1) return;
  impl_ = std::make_unique<Impl>();
  impl_->rank = comm.rank();
  impl_->limit = std::chrono::duration<double>(limit);
  impl_->hosts = comm.all_gather(host_name());
  std::string meeting_point;  // token, port, addresses
  on_root(comm, [&] {
    allow_many_descriptors();
    impl_->listener.emplace();
    meeting_point =
        fmt::format("{} {} {}", random_token(), impl_->listener->port(), fmt::join(local_addresses(), " "));
  });
  comm.broadcast(meeting_point);
  std::istringstream words(meeting_point);
  std::uint16_t port = 0;
  words >> impl_->token >> port;
  const std::vector<std::string> addresses(std::istream_iterator<std::string>(words), {});
  together(comm, [&] {
    impl_->wake_up = Socket(::eventfd(0, EFD_CLOEXEC));
    require(bool(impl_->wake_up), "the watchdog cannot make an eventfd: {}", system_error_text(errno));
  });
  const auto start = [&] {
    impl_->thread = std::jthread([this](const std::stop_token& stop) { impl_->run(stop); });
  };
  if (comm.is_root()) start();
  const bool has_joined = comm.is_root() || impl_->join(addresses, port);
  if (!comm.is_root() && has_joined) start();
  const int missing = comm.sum(has_joined ? 0 : 1);
  if (missing > 0 && comm.is_root())
    fmt::print(stderr, "note: {} of {} ranks cannot reach rank 0 by TCP at {} and are not watched\n", missing,
               comm.size(), fmt::join(addresses, ", "));
}

Watchdog::~Watchdog() {
  if (!impl_) return;
  impl_->thread.request_stop();
  const std::uint64_t one = 1;
  static_cast<void>(::write(impl_->wake_up.get(), &one, sizeof one) == sizeof one);
}

}  // namespace whorl::mpi
