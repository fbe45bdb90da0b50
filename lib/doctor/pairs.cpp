// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/pairs.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "doctor/layout.hpp"
#include "doctor/watchdog.hpp"
#include "mpi/check.hpp"
#include "mpi/nodes.hpp"

namespace whorl::doctor {

namespace {

using Clock = std::chrono::steady_clock;
using Message = std::vector<unsigned char>;

constexpr std::size_t ping_size = 8, first_size = 1'000'000, large_size = 4'000'000;
constexpr int most_pings = 1000, most_transfers = 20;
constexpr double ping_seconds = 0.02, transfer_seconds = 0.05, fast_transfer = 0.01;
constexpr int questions = 20;
constexpr int tag = 1;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::ranges::nth_element(values, middle);
  return *middle;
}

void send(const mpi::Communicator& comm, int partner, const void* data, std::size_t bytes) {
  mpi::check(MPI_Send(data, static_cast<int>(bytes), MPI_BYTE, partner, tag, comm.get()), "MPI_Send");
}

std::size_t receive(const mpi::Communicator& comm, int partner, void* data, std::size_t room) {
  MPI_Status status;
  mpi::check(MPI_Recv(data, static_cast<int>(room), MPI_BYTE, partner, tag, comm.get(), &status), "MPI_Recv");
  int count = 0;
  mpi::check(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
  return static_cast<std::size_t>(count);
}

/// Sends back whatever comes, until an empty message. Returns the bytes sent.
double answer(const mpi::Communicator& comm, int partner) {
  Message message(large_size);
  for (double sent = 0;;) {
    const std::size_t bytes = receive(comm, partner, message.data(), message.size());
    if (bytes == 0) return sent;
    send(comm, partner, message.data(), bytes);
    sent += static_cast<double>(bytes);
  }
}

/// The side of a pair that asks and holds the watch.
class Asker {
 public:
  Asker(const mpi::Communicator& comm, int partner) : comm_(comm), partner_(partner) {
    std::iota(sent_.begin(), sent_.end(), static_cast<unsigned char>(comm.rank()));
  }

  PairTime measure() {
    PairTime time{.first = comm_.rank(), .second = partner_};
    time.latency = median(round_trips(ping_size, ping_seconds, most_pings)) / 2;
    std::vector<double> transfers = round_trips(first_size, 0, 1);
    const bool is_fast = transfers[0] < fast_transfer;
    if (is_fast) transfers = round_trips(large_size, transfer_seconds, most_transfers);
    time.bandwidth = 2.0 * static_cast<double>(is_fast ? large_size : first_size) / median(transfers);
    send(comm_, partner_, nullptr, 0);
    const std::size_t checked = is_fast ? large_size : first_size;
    time.intact =
        std::equal(sent_.begin(), sent_.begin() + static_cast<std::ptrdiff_t>(checked), back_.begin());
    return time;
  }
  double bytes_sent() const { return bytes_sent_; }

 private:
  std::vector<double> round_trips(std::size_t bytes, double seconds, int most) {
    std::vector<double> times;
    const Clock::time_point start = Clock::now();
    do {
      const Clock::time_point sent = Clock::now();
      send(comm_, partner_, sent_.data(), bytes);
      receive(comm_, partner_, back_.data(), back_.size());
      times.push_back(seconds_since(sent));
      bytes_sent_ += static_cast<double>(bytes);
    } while (seconds_since(start) < seconds && std::ssize(times) < most);
    return times;
  }

  const mpi::Communicator& comm_;
  int partner_;
  Message sent_ = Message(large_size), back_ = Message(large_size);
  double bytes_sent_ = 0;
};

double wall_clock() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

ClockOffset ask_for_time(const mpi::Communicator& comm, int rank) {
  ClockOffset best{.seconds = 0, .uncertainty = 1e9};
  for (int i = 0; i < questions; ++i) {
    const double before = wall_clock();
    double theirs = 0;
    send(comm, rank, &before, sizeof before);
    receive(comm, rank, &theirs, sizeof theirs);
    const double after = wall_clock();
    if ((after - before) / 2 < best.uncertainty) best = {theirs - (before + after) / 2, (after - before) / 2};
  }
  return best;
}

void tell_time(const mpi::Communicator& comm) {
  for (int i = 0; i < questions; ++i) {
    double question = 0;
    receive(comm, 0, &question, sizeof question);
    const double now = wall_clock();
    send(comm, 0, &now, sizeof now);
  }
}

}  // namespace

int rounds_of(int players) {
  return players % 2 == 0 ? players - 1 : players;
}

// Of an odd number m, i and j meet in the round (i + j) mod m, and who would meet himself sits out; or meets
// the last one, if that is one more.
int opponent(int player, int players, int round) {
  if (players < 2) return -1;
  const int m = rounds_of(players);
  if (player == m) return static_cast<int>(static_cast<std::int64_t>(round) * (m + 1) / 2 % m);
  const int other = ((round - player) % m + m) % m;
  if (other != player) return other;
  return players % 2 == 0 ? m : -1;
}

PairTimes time_pairs(const mpi::Communicator& comm, const std::vector<int>& group, double seconds) {
  const int players = static_cast<int>(group.size());
  const int me = static_cast<int>(std::ranges::find(group, comm.rank()) - group.begin());
  PairTimes times{.pairs = {}, .all_rounds = comm.max(players < 2 ? 0 : rounds_of(players))};
  const Clock::time_point start = Clock::now();
  while (times.rounds < times.all_rounds && comm.max(seconds_since(start)) < seconds) {
    PairTime mine;
    const int other = times.rounds < rounds_of(players) ? opponent(me, players, times.rounds) : -1;
    if (other >= 0) {
      const int partner = group[static_cast<std::size_t>(other)];
      const LocalWork work(fmt::format("exchanging messages with rank {}", partner));
      if (other > me) {
        Asker asker(comm, partner);
        mine = asker.measure();
        times.bytes_sent += asker.bytes_sent();
      } else {
        times.bytes_sent += answer(comm, partner);
      }
    }
    mpi::wait_asleep(comm);
    for (const PairTime& one : gather(comm, mine))
      if (one.first >= 0) times.pairs.push_back(one);
    ++times.rounds;
  }
  return times;
}

std::vector<ClockOffset> clock_offsets(const mpi::Communicator& comm, const std::vector<int>& ranks) {
  std::vector<ClockOffset> offsets(ranks.size());
  for (std::size_t i = 1; i < ranks.size(); ++i) {
    if (comm.is_root()) offsets[i] = ask_for_time(comm, ranks[i]);
    if (comm.rank() == ranks[i]) tell_time(comm);
  }
  mpi::wait_asleep(comm);
  std::string text = nlohmann::json(offsets).dump();
  comm.broadcast(text);
  return nlohmann::json::parse(text).get<std::vector<ClockOffset>>();
}

}  // namespace whorl::doctor
