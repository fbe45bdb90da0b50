// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/communicator.hpp"

#include <algorithm>
#include <climits>
#include <exception>
#include <numeric>
#include <utility>

#include "mpi/check.hpp"

namespace whorl::mpi {

Communicator::Communicator(MPI_Comm comm, bool owned) : comm_(comm), owned_(owned) {
  check(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
}

Communicator Communicator::world() {
  return refer_to(MPI_COMM_WORLD);
}
Communicator Communicator::self() {
  return refer_to(MPI_COMM_SELF);
}
Communicator Communicator::refer_to(MPI_Comm comm) {
  return {comm, false};
}

Communicator::Communicator(Communicator&& other) noexcept
    : comm_(std::exchange(other.comm_, MPI_COMM_NULL)),
      owned_(std::exchange(other.owned_, false)),
      rank_(other.rank_),
      size_(other.size_) {}

Communicator& Communicator::operator=(Communicator&& other) noexcept {
  std::swap(comm_, other.comm_);
  std::swap(owned_, other.owned_);
  std::swap(rank_, other.rank_);
  std::swap(size_, other.size_);
  return *this;
}

Communicator::~Communicator() {
  if (owned_ && std::uncaught_exceptions() == 0) MPI_Comm_free(&comm_);
}

void Communicator::close() {
  if (std::exchange(owned_, false)) check(MPI_Comm_free(&comm_), "MPI_Comm_free");
  comm_ = MPI_COMM_NULL;
}

Communicator Communicator::duplicate() const {
  MPI_Comm result = MPI_COMM_NULL;
  check(MPI_Comm_dup(comm_, &result), "MPI_Comm_dup");
  return {result, true};
}

Communicator Communicator::split(int color, int key) const {
  MPI_Comm result = MPI_COMM_NULL;
  check(MPI_Comm_split(comm_, color, key, &result), "MPI_Comm_split");
  return {result, true};
}

Communicator Communicator::split_by_node() const {
  MPI_Comm result = MPI_COMM_NULL;
  check(MPI_Comm_split_type(comm_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &result),
        "MPI_Comm_split_type");
  return {result, true};
}

void Communicator::barrier() const {
  check(MPI_Barrier(comm_), "MPI_Barrier");
}

void Communicator::broadcast(std::string& text, int root) const {
  auto length = static_cast<std::uint64_t>(text.size());
  broadcast(std::span(&length, 1), root);
  text.resize(length);
  constexpr std::size_t step = std::size_t{1} << 30;
  for (std::size_t offset = 0; offset < length; offset += step) {
    broadcast(std::span(text).subspan(offset, std::min(step, text.size() - offset)), root);
  }
}

std::vector<std::string> Communicator::all_gather(const std::string& text) const {
  const std::vector<std::int32_t> lengths = all_gather(std::int32_t{int_count(text.size())});
  int_count(std::accumulate(lengths.begin(), lengths.end(), std::size_t{0}));
  std::vector<int> offsets(lengths.size());
  std::exclusive_scan(lengths.begin(), lengths.end(), offsets.begin(), 0);
  std::string all(static_cast<std::size_t>(offsets.back() + lengths.back()), '\0');
  check(MPI_Allgatherv(text.data(), lengths[static_cast<std::size_t>(rank_)], MPI_BYTE, all.data(),
                       lengths.data(), offsets.data(), MPI_BYTE, comm_),
        "MPI_Allgatherv");
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    texts.push_back(all.substr(static_cast<std::size_t>(offsets[i]), static_cast<std::size_t>(lengths[i])));
  }
  return texts;
}

void Communicator::check_call(int code, const char* call) {
  check(code, call);
}

int Communicator::int_count(std::size_t count) {
  require(count <= INT_MAX, "{} elements are too many for one MPI call (at most {})", count, INT_MAX);
  return static_cast<int>(count);
}

void agree(const Communicator& comm, const std::string& message) {
  const int failed = comm.sum(message.empty() ? 0 : 1);
  if (failed == 0) return;
  const int first = comm.min(message.empty() ? comm.size() : comm.rank());
  std::string text = message;
  comm.broadcast(text, first);
  if (failed > 1 && failed < comm.size())
    text += fmt::format(" (and {} more of {} ranks failed)", failed - 1, comm.size());
  throw CollectiveError(text);
}

}  // namespace whorl::mpi
