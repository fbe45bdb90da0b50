// SPDX-License-Identifier: BSD-3-Clause
#include "measure.hpp"

#include <algorithm>
#include <chrono>

#include "base/error.hpp"

namespace whorl::allreduce {
namespace {

/// The terms of a sum: element j on rank r is (j*P + r) mod m. All integers, and sums of P of them, are exact
/// in float32 as long as they stay below 2^24; m is coprime to P, so that the first m elements of all ranks
/// differ from their neighbours and each other.
class Terms {
 public:
  explicit Terms(const mpi::Communicator& comm)
      : size_(comm.size()), rank_(comm.rank()), modulus_((exact / size_ - 1) / size_ * size_ + 1) {}

  void fill(std::span<float> data) const {
    for (std::size_t j = 0; j < data.size(); ++j) data[j] = static_cast<float>(term(j, rank_));
  }
  void verify(std::span<const float> data, const std::string& algorithm) const {
    for (std::size_t j = 0; j < data.size(); ++j) {
      std::int64_t sum = 0;
      for (int rank = 0; rank < size_; ++rank) sum += term(j, rank);
      require(data[j] == static_cast<float>(sum), "{}: element {} of {} is {}, but the sum is {}", algorithm,
              j, data.size(), data[j], sum);
    }
  }

 private:
  static constexpr std::int64_t exact = std::int64_t{1} << 24;
  std::int64_t term(std::size_t j, int rank) const {
    return (static_cast<std::int64_t>(j) * size_ + rank) % modulus_;
  }

  int size_, rank_;
  std::int64_t modulus_;
};

Measurement verify(collective::AllReduce& algorithm, const Terms& terms, std::span<float> data) {
  Measurement result{.algorithm = algorithm.name(),
                     .bytes = data.size_bytes(),
                     .computed = algorithm.cost(data),
                     .counted = {},
                     .seconds = {}};
  const auto before = algorithm.spent();
  terms.fill(data);
  algorithm.sum(data);
  terms.verify(data, algorithm.name());
  if (const auto after = algorithm.spent()) {
    result.counted = collective::Cost{.steps = after->steps - before->steps,
                                      .bytes_sent = after->bytes_sent - before->bytes_sent};
  }
  return result;
}

double time_once(collective::AllReduce& algorithm, std::span<float> data, const mpi::Communicator& comm) {
  using Clock = std::chrono::steady_clock;
  comm.barrier();
  const auto start = Clock::now();
  algorithm.sum(data);
  return comm.max(std::chrono::duration<double>(Clock::now() - start).count());
}

}  // namespace

double Measurement::median() const {
  std::vector<double> sorted = seconds;
  std::ranges::sort(sorted);
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

std::vector<Measurement> measure(std::span<const std::unique_ptr<collective::AllReduce>> algorithms,
                                 std::size_t bytes, int repeats, const mpi::Communicator& comm) {
  const Terms terms(comm);
  std::vector<float> data(bytes / sizeof(float)), start(data.size());
  terms.fill(start);
  std::vector<Measurement> results;
  for (const auto& algorithm : algorithms) results.push_back(verify(*algorithm, terms, data));
  for (int repeat = 0; repeat < repeats; ++repeat) {
    for (std::size_t i = 0; i < algorithms.size(); ++i) {
      std::ranges::copy(
          start,
          data.begin());  // sums of sums would overflow; and each algorithm finds a buffer just written
      results[i].seconds.push_back(time_once(*algorithms[i], data, comm));
    }
  }
  return results;
}

}  // namespace whorl::allreduce
