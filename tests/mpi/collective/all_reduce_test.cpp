// SPDX-License-Identifier: BSD-3-Clause
// Every algorithm of the factory, over MPI.
#include "collective/all_reduce.hpp"

#include <gtest/gtest.h>
#include <mpi.h>

#include "base/error.hpp"
#include "gpu/device.hpp"
#include "mpi/communicator.hpp"
#include "support/exact_sums.hpp"
#include "support/thrown_message.hpp"

namespace {
std::int64_t bytes_handed_to_mpi = 0;
}

// In place of MPI's own: counts.
extern "C" int MPI_Isend(const void* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
                         MPI_Request* request) {
  bytes_handed_to_mpi += count;  // all are of bytes
  return PMPI_Isend(data, count, type, to, tag, comm, request);
}

namespace whorl::collective {
namespace {

using test::expect_sums;
using test::terms;

class AllReduceOverMpi : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "nccl" && comm.min(gpu::count_gpus()) < comm.size())
      GTEST_SKIP() << "NCCL needs " << comm.size() << " GPUs, here are " << gpu::count_gpus();
  }
  std::unique_ptr<AllReduce> make(std::size_t chunk_bytes = Options{}.chunk_bytes) const {
    return make_all_reduce(GetParam(), comm, {.chunk_bytes = chunk_bytes});
  }
  std::vector<float> own_terms(std::size_t count, int salt) const {
    return terms(count, comm.rank(), comm.size(), salt);
  }

  const mpi::Communicator comm = mpi::Communicator::world();
};
INSTANTIATE_TEST_SUITE_P(Algorithms, AllReduceOverMpi, testing::ValuesIn(available_algorithms()),
                         [](const auto& tested) { return tested.param; });

TEST_P(AllReduceOverMpi, SumsAnyLengthExactlyAtTheComputedCost) {
  for (const std::size_t chunk : {64, 4096, 1 << 20}) {
    const auto all_reduce = make(chunk);
    EXPECT_EQ(all_reduce->name(), GetParam() == "nccl" ? "nccl ring" : GetParam());
    for (const std::size_t count : test::awkward_counts(comm.size())) {
      SCOPED_TRACE(testing::Message() << count << " floats, chunks of " << chunk << " bytes");
      const auto before = all_reduce->spent();
      std::vector<float> data = own_terms(count, 0);
      const auto cost = all_reduce->cost(std::span(data));
      all_reduce->sum(std::span(data));
      expect_sums(data, comm.size(), 0);
      const auto after = all_reduce->spent();
      ASSERT_EQ(cost.has_value(), after.has_value());
      if (!cost) continue;
      EXPECT_EQ(after->bytes_sent - before->bytes_sent, cost->bytes_sent);
      EXPECT_EQ(after->steps - before->steps, cost->steps);
    }
  }
}

TEST_P(AllReduceOverMpi, SumsIntegersInPlaceInAllocatedMemory) {
  const auto all_reduce = make(4096);
  for (const std::size_t count : test::awkward_counts(comm.size())) {
    const std::span<std::int64_t> data = all_reduce->allocate<std::int64_t>(count + 1).subspan(1);
    for (int salt = 0; salt < 3; ++salt) {
      test::fill_terms(data, comm.rank(), comm.size(), salt);
      all_reduce->sum(data);
      expect_sums(data, comm.size(), salt);
    }
  }
}

// Not in allocated memory, so that they go as messages; the widths of a message's integers change, up to all
// 64 bits.
TEST_P(AllReduceOverMpi, SumsIntegersOfAnyWidth) {
  const auto all_reduce = make(4096);
  constexpr std::size_t count = 40'000;
  const auto term = [](std::size_t j, int rank) {
    const std::uint64_t mixed =
        (j + 1) * 0x9e3779b97f4a7c15U + static_cast<std::uint64_t>(rank) * 0xd1b54a32d192ed03U;
    return static_cast<std::int64_t>(mixed) >> (j / 1000 % 40);
  };
  std::vector<std::int64_t> data(count), expected(count);
  for (std::size_t j = 0; j < count; ++j) {
    data[j] = term(j, comm.rank());
    std::uint64_t sum = 0;  // wraps around
    for (int rank = 0; rank < comm.size(); ++rank) sum += static_cast<std::uint64_t>(term(j, rank));
    expected[j] = static_cast<std::int64_t>(sum);
  }
  all_reduce->sum(std::span(data));
  EXPECT_EQ(data, expected);
}

TEST(Ring, SendsIntegersInAsManyBytesAsTheLargestNeeds) {
  const mpi::Communicator comm = mpi::Communicator::world();
  const auto ring = make_all_reduce("ring", comm);
  for (const int bits : {1, 36, 39 - comm.size(), 60}) {
    std::vector<std::int64_t> data(20'000, std::int64_t{1} << bits);
    const std::int64_t values = ring->cost(std::span(data))->bytes_sent / 8;
    bytes_handed_to_mpi = 0;
    ring->sum(std::span(data));
    EXPECT_EQ(bytes_handed_to_mpi, values * (bits == 60 ? 8 : 5)) << bits << " bits";
    EXPECT_EQ(data.front(), comm.size() * (std::int64_t{1} << bits));
  }
}

TEST_P(AllReduceOverMpi, SumsMegabytesInSeveralChunks) {
  const auto all_reduce = make();
  std::vector<float> data = own_terms(3'000'017, 0);
  all_reduce->sum(std::span(data));
  expect_sums(data, comm.size(), 0);
}

TEST_P(AllReduceOverMpi, SeveralSumsInFlightWaitedForInAnyOrder) {
  constexpr std::size_t sums = 6;
  const auto all_reduce = make(8192);
  std::vector<std::vector<float>> buckets;
  std::vector<Ticket> tickets;
  for (std::size_t i = 0; i < sums; ++i) buckets.push_back(own_terms(20'011 * i + 1, static_cast<int>(i)));
  for (std::vector<float>& bucket : buckets) {
    tickets.push_back(all_reduce->start_sum(std::span(bucket)));
    all_reduce->progress();
  }
  for (std::size_t i = 0; i < sums; ++i) {
    const std::size_t which = (2 * sums - i - static_cast<std::size_t>(comm.rank())) % sums;
    all_reduce->wait(tickets[which]);
    expect_sums(buckets[which], comm.size(), static_cast<int>(which));
  }
}

TEST_P(AllReduceOverMpi, MessagesDoNotMeetThoseOfTheCallerOrOfAnotherObject) {
  const auto one = make(4096), other = make(4096);
  float own = static_cast<float>(comm.rank()), received = -1;
  MPI_Request receive = MPI_REQUEST_NULL;
  ASSERT_EQ(MPI_Irecv(&received, 1, MPI_FLOAT, MPI_ANY_SOURCE, MPI_ANY_TAG, comm.get(), &receive),
            MPI_SUCCESS);

  std::vector<float> first = own_terms(5003, 1), second = own_terms(5003, 2);
  const Ticket ticket = one->start_sum(std::span(first));
  other->sum(std::span(second));
  one->wait(ticket);
  expect_sums(first, comm.size(), 1);
  expect_sums(second, comm.size(), 2);

  const int next = (comm.rank() + 1) % comm.size(), previous = (comm.rank() + comm.size() - 1) % comm.size();
  ASSERT_EQ(MPI_Send(&own, 1, MPI_FLOAT, next, 0, comm.get()), MPI_SUCCESS);
  ASSERT_EQ(MPI_Wait(&receive, MPI_STATUS_IGNORE), MPI_SUCCESS);
  EXPECT_EQ(received, static_cast<float>(previous));
}

TEST(AllReduceFactory, AnUnknownNameIsAUsageErrorThatListsTheKnown) {
  const std::string message =
      test::thrown_message<UsageError>([] { make_all_reduce("rign", mpi::Communicator::world()); });
  EXPECT_TRUE(message.starts_with(
      "no all-reduce algorithm is called \"rign\"; there are: ring, shared, hierarchical, mpi, central"))
      << message;
}

}  // namespace
}  // namespace whorl::collective
