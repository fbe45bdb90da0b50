// SPDX-License-Identifier: BSD-3-Clause
#include "collective/fastest.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace whorl::collective {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int least_rounds = 9;
// Seconds. One round of small sums is shorter than a turn of the system's scheduler: nine could all lie
// within one.
constexpr double shortest = 0.1;
constexpr double longest = 1.0;  // no further round after that

struct Candidate {
  std::unique_ptr<AllReduce> all_reduce;
  std::vector<Values> buckets;
  std::vector<double> seconds;  // by round; the same on every rank

  double median() {
    const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
    std::nth_element(seconds.begin(), middle, seconds.end());
    return *middle;
  }
};

Candidate make_candidate(const std::string& name, const mpi::Communicator& comm, const Options& options,
                         Element element, std::span<const std::size_t> counts) {
  Candidate candidate{make_all_reduce(name, comm, options), {}, {}};
  const std::size_t total = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
  Values arena = element == Element::float32 ? Values(candidate.all_reduce->allocate<float>(total))
                                             : Values(candidate.all_reduce->allocate<std::int64_t>(total));
  for (std::size_t begin = 0; const std::size_t count : counts) {
    candidate.buckets.push_back(arena.subspan(begin, count));
    begin += count;
  }
  return candidate;
}

double time_once(Candidate& candidate, const mpi::Communicator& comm) {
  comm.barrier();
  const Clock::time_point start = Clock::now();
  std::vector<Ticket> tickets;
  for (const Values& bucket : candidate.buckets) tickets.push_back(candidate.all_reduce->start_sum(bucket));
  for (const Ticket ticket : tickets) candidate.all_reduce->wait(ticket);
  return comm.max(std::chrono::duration<double>(Clock::now() - start).count());
}

}  // namespace

// Without central: rank 0 then does at least what every rank does in a ring.
std::vector<std::string> suitable_algorithms(const mpi::Communicator& comm) {
  if (comm.size() == 1) return {"ring"};
  mpi::Communicator node = comm.split_by_node();
  const int largest = comm.max(node.size()), smallest = comm.min(node.size());
  node.close();
  if (smallest == comm.size()) return {"shared", "ring", "mpi"};
  if (largest > 1) return {"hierarchical", "ring", "mpi"};
  return {"ring", "mpi"};
}

Fastest make_fastest(std::span<const std::string> names, const mpi::Communicator& comm,
                     const Options& options, Element element, std::span<const std::size_t> counts) {
  if (comm.size() == 1) return {make_all_reduce(names.front(), comm, options), 0, {}};
  std::vector<Candidate> all;
  for (const std::string& name : names) all.push_back(make_candidate(name, comm, options, element, counts));
  for (Candidate& candidate : all) time_once(candidate, comm);  // connects, and touches the memory
  double spent = 0;
  for (int round = 0; spent < longest && (round < least_rounds || spent < shortest); ++round) {
    for (Candidate& candidate : all) {
      candidate.seconds.push_back(time_once(candidate, comm));
      spent += candidate.seconds.back();
    }
  }
  Fastest result;
  for (Candidate& candidate : all)
    result.timings.push_back({candidate.all_reduce->name(), candidate.median()});
  const auto best = std::ranges::min_element(result.timings, {}, &Timing::seconds);
  all.clear();  // and with them what was summed for the timing
  const auto index = static_cast<std::size_t>(best - result.timings.begin());
  result.all_reduce = make_all_reduce(names[index], comm, options);
  result.seconds = best->seconds;
  return result;
}

}  // namespace whorl::collective
