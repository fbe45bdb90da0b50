// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/communicator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <new>
#include <utility>

#include "support/thrown_message.hpp"

namespace whorl::mpi {
namespace {

TEST(communicator, knows_rank_and_size) {
  const Communicator world = Communicator::world();
  int rank = -1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  EXPECT_EQ(world.rank(), rank);
  EXPECT_EQ(world.is_root(), rank == 0);
  EXPECT_EQ(Communicator::self().size(), 1);
  EXPECT_EQ(Communicator::self().rank(), 0);
}

TEST(communicator, reduces) {
  const Communicator world = Communicator::world();
  const int n = world.size();
  EXPECT_EQ(world.sum(std::int64_t{1} << (40 + world.rank())), ((std::int64_t{1} << n) - 1) << 40);
  EXPECT_EQ(world.min(10 - world.rank()), 11 - n);
  EXPECT_EQ(world.max(1.5 * world.rank()), 1.5 * (n - 1));
  EXPECT_EQ(world.exclusive_sum(world.rank() + 5), world.rank() * (world.rank() - 1) / 2 + 5 * world.rank());
}

TEST(communicator, sums_element_wise) {
  const Communicator world = Communicator::world();
  std::vector<std::uint64_t> values{1, 10U + static_cast<unsigned>(world.rank()), 100};
  world.sum_in_place(std::span(values));
  const auto n = static_cast<std::uint64_t>(world.size());
  EXPECT_EQ(values, (std::vector<std::uint64_t>{n, 10 * n + n * (n - 1) / 2, 100 * n}));
}

TEST(communicator, gathers_values_and_texts_by_rank) {
  const Communicator world = Communicator::world();
  const std::vector<int> squares = world.all_gather(world.rank() * world.rank());
  // Rank 1's text is empty; the others differ in length.
  const auto text_of = [](int rank) {
    return rank == 1 ? std::string()
                     : std::string(static_cast<std::size_t>(3 * rank + 1), static_cast<char>('a' + rank));
  };
  const std::vector<std::string> texts = world.all_gather(text_of(world.rank()));
  ASSERT_EQ(static_cast<int>(squares.size()), world.size());
  ASSERT_EQ(static_cast<int>(texts.size()), world.size());
  for (int rank = 0; rank < world.size(); ++rank) {
    EXPECT_EQ(squares[static_cast<std::size_t>(rank)], rank * rank);
    EXPECT_EQ(texts[static_cast<std::size_t>(rank)], text_of(rank));
  }
}

TEST(communicator, broadcasts_from_any_root) {
  const Communicator world = Communicator::world();
  const int root = world.size() - 1;
  std::vector<double> values{world.rank() + 0.5, world.rank() + 0.25};
  world.broadcast(std::span(values), root);
  EXPECT_EQ(values, (std::vector<double>{root + 0.5, root + 0.25}));
  std::string text = world.rank() == root ? std::string("a\0b", 3) : "something longer than that";
  world.broadcast(text, root);
  EXPECT_EQ(text, std::string("a\0b", 3));
  std::string nothing = world.rank() == root ? "" : "text";
  world.broadcast(nothing, root);
  EXPECT_EQ(nothing, "");
}

TEST(communicator, splits_by_color) {
  const Communicator world = Communicator::world();
  const int color = world.rank() % 2;
  Communicator half = world.split(color, -world.rank());  // in reverse order
  EXPECT_EQ(half.size(), color == 0 ? (world.size() + 1) / 2 : world.size() / 2);
  EXPECT_EQ(half.min(world.rank()), color);
  const std::vector<int> ranks = half.all_gather(world.rank());
  EXPECT_TRUE(std::is_sorted(ranks.rbegin(), ranks.rend()));
  half.close();
  EXPECT_EQ(half.get(), MPI_COMM_NULL);
}

TEST(communicator, finds_the_ranks_of_this_node) {
  const Communicator node = Communicator::world().split_by_node();
  EXPECT_EQ(node.size(), Communicator::world().size());  // the tests run on one machine
}

TEST(communicator, moves_its_ownership) {
  Communicator first = Communicator::world().duplicate();
  const MPI_Comm handle = first.get();
  EXPECT_NE(handle, MPI_COMM_WORLD);
  Communicator second = std::move(first);
  EXPECT_EQ(second.get(), handle);
  EXPECT_EQ(second.size(), Communicator::world().size());
  Communicator third = Communicator::self();
  third = std::move(second);
  third.barrier();
  third.close();
  third.close();  // closing twice is harmless
}

TEST(communicator, is_not_freed_while_an_exception_unwinds) {
  MPI_Comm handle = MPI_COMM_NULL;
  EXPECT_THROW(
      {
        const Communicator copy = Communicator::world().duplicate();
        handle = copy.get();
        throw Error("one rank's own");
      },
      Error);
  int size = 0;
  ASSERT_EQ(MPI_Comm_size(handle, &size), MPI_SUCCESS);
  EXPECT_EQ(size, Communicator::world().size());
  MPI_Comm_free(&handle);
}

TEST(communicator, refuses_counts_that_mpi_cannot_take) {
  const Communicator self = Communicator::self();
  std::byte one{};
  const std::span<std::byte> huge(&one, std::size_t{INT_MAX} + 1);  // never touched
  EXPECT_EQ(test::thrown_message<Error>([&] { self.broadcast(huge); }),
            "2147483648 elements are too many for one MPI call (at most 2147483647)");
}

TEST(together, lets_everyone_pass_when_nobody_fails) {
  const Communicator world = Communicator::world();
  int calls = 0;
  together(world, [&] { ++calls; });
  EXPECT_EQ(calls, 1);
  on_root(world, [&] { ++calls; });
  EXPECT_EQ(calls, world.is_root() ? 2 : 1);
}

TEST(together, throws_everywhere_what_the_lowest_failing_rank_said) {
  const Communicator world = Communicator::world();
  const int n = world.size();
  const int last = n - 1;
  EXPECT_EQ(test::thrown_message<CollectiveError>([&] {
              together(world, [&] { require(world.rank() != last, "rank {} has no petals", last); });
            }),
            fmt::format("rank {} has no petals", last));
  const std::string all = test::thrown_message<CollectiveError>(
      [&] { together(world, [&] { throw Error("rank {} has no stem", world.rank()); }); });
  EXPECT_EQ(all, "rank 0 has no stem");
  if (n < 3) return;
  const std::string some = test::thrown_message<CollectiveError>(
      [&] { together(world, [&] { require(world.rank() == 0, "rank {} has no leaf", world.rank()); }); });
  EXPECT_EQ(some, fmt::format("rank 1 has no leaf (and {} more of {} ranks failed)", n - 2, n));
}

TEST(together, reports_exceptions_of_other_libraries) {
  const Communicator world = Communicator::world();
  EXPECT_EQ(test::thrown_message<CollectiveError>([&] { together(world, [] { throw std::bad_alloc(); }); }),
            "out of memory");
}

TEST(on_root, fails_on_all_ranks) {
  EXPECT_EQ(test::thrown_message<CollectiveError>(
                [] { on_root(Communicator::world(), [] { throw Error("no root"); }); }),
            "no root");
}

}  // namespace
}  // namespace whorl::mpi
