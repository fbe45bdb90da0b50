// SPDX-License-Identifier: BSD-3-Clause
#include "measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <type_traits>
#include <utility>

#include "base/error.hpp"
#include "collective/fastest.hpp"

namespace whorl::allreduce {
namespace {

/// The terms of a sum: element j on rank r is (j*P + r) mod m, in units of which int64 holds many (more
/// than 32 bits, yet no more than gradients have) and float32 one. Sums of P of them are exact in float32 as
/// long as they stay below 2^24; m is coprime to P, so that the first m elements of all ranks differ from
/// their neighbours and each other.
template <typename T>
class Terms {
 public:
  explicit Terms(const mpi::Communicator& comm)
      : size_(comm.size()), rank_(comm.rank()), modulus_(exact / size_) {
    while (std::gcd(modulus_, size_) != 1) --modulus_;
  }

  void fill(std::span<T> data) const {
    for (std::size_t j = 0; j < data.size(); ++j) data[j] = static_cast<T>(term(j, rank_) * unit);
  }
  void verify(std::span<const T> data, const std::string& algorithm) const {
    for (std::size_t j = 0; j < data.size(); ++j) {
      std::int64_t sum = 0;
      for (int rank = 0; rank < size_; ++rank) sum += term(j, rank);
      require(data[j] == static_cast<T>(sum * unit), "{}: element {} of {} is {}, but the sum is {}",
              algorithm, j, data.size(), data[j], sum * unit);
    }
  }

 private:
  static constexpr std::int64_t exact = std::int64_t{1} << 24;
  static constexpr std::int64_t unit = std::is_same_v<T, float> ? 1 : (std::int64_t{1} << 14) - 1;
  std::int64_t term(std::size_t j, int rank) const {
    return (static_cast<std::int64_t>(j) * size_ + rank) % modulus_;
  }

  int size_, rank_;
  std::int64_t modulus_;
};

/// One algorithm and the buffer it sums.
template <typename T>
struct Runner {
  std::unique_ptr<collective::AllReduce> algorithm;
  std::span<T> data;
  Measurement result;

  Runner(const std::string& name, const Comparison& comparison, std::size_t count,
         const mpi::Communicator& comm) {
    if (name == "auto") {
      algorithm = collective::make_fastest(collective::suitable_algorithms(comm), comm, comparison.options,
                                           comparison.element, std::array{count})
                      .all_reduce;
      result.algorithm = fmt::format("auto ({})", algorithm->name());
    } else {
      algorithm = collective::make_all_reduce(name, comm, comparison.options);
      result.algorithm = algorithm->name();
    }
    data = algorithm->allocate<T>(count);
    result.bytes = data.size_bytes();
  }

  void verify(const Terms<T>& terms) {
    result.computed = algorithm->cost(data);
    const auto before = algorithm->spent();
    terms.fill(data);
    algorithm->sum(data);
    terms.verify(data, result.algorithm);
    if (const auto after = algorithm->spent()) {
      result.counted = collective::Cost{.steps = after->steps - before->steps,
                                        .bytes_sent = after->bytes_sent - before->bytes_sent};
    }
  }

  void time_once(std::span<const T> start_values, const mpi::Communicator& comm) {
    using Clock = std::chrono::steady_clock;
    std::ranges::copy(
        start_values,
        data.begin());  // sums of sums would overflow; and each algorithm finds a buffer just written
    comm.barrier();
    const auto start = Clock::now();
    algorithm->sum(data);
    result.seconds.push_back(comm.max(std::chrono::duration<double>(Clock::now() - start).count()));
  }
};

template <typename T>
std::vector<Measurement> measure_all(const Comparison& comparison, std::size_t count,
                                     const mpi::Communicator& comm) {
  const Terms<T> terms(comm);
  std::vector<Runner<T>> runners;
  for (const std::string& name : comparison.algorithms) runners.emplace_back(name, comparison, count, comm);
  for (Runner<T>& runner : runners) runner.verify(terms);
  std::vector<T> start_values(count);
  terms.fill(start_values);
  for (int repeat = 0; repeat < comparison.repeats; ++repeat) {
    for (Runner<T>& runner : runners) runner.time_once(start_values, comm);
    std::ranges::reverse(runners);
  }
  if (comparison.repeats % 2 == 1) std::ranges::reverse(runners);
  std::vector<Measurement> results;
  for (Runner<T>& runner : runners) results.push_back(std::move(runner.result));
  return results;
}

}  // namespace

double Measurement::median() const {
  std::vector<double> sorted = seconds;
  std::ranges::sort(sorted);
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

std::vector<Measurement> measure(const Comparison& comparison, std::size_t bytes,
                                 const mpi::Communicator& comm) {
  const std::size_t count = bytes / size_of(comparison.element);
  return comparison.element == collective::Element::float32
             ? measure_all<float>(comparison, count, comm)
             : measure_all<std::int64_t>(comparison, count, comm);
}

}  // namespace whorl::allreduce
