// SPDX-License-Identifier: BSD-3-Clause
// Ranks read a file together: every picture reaches exactly one of them an epoch.
#include <gtest/gtest.h>

#include <vector>

#include "dataset/rank_order.hpp"
#include "dataset/reader.hpp"
#include "mpi/communicator.hpp"
#include "support/dataset_file.hpp"
#include "support/temporary_folder.hpp"

namespace whorl::dataset {
namespace {

/// Which sample of `content` the pixels show; they are all different for up to 251 samples.
std::int64_t recognise(const test::DatasetFile& content, const std::vector<std::uint8_t>& pixels) {
  for (std::int64_t sample = 0; sample < content.train_count; ++sample)
    if (content.picture(Split::train, sample) == pixels) return sample;
  return -1;
}

void expect_every_picture_once(const mpi::Communicator& comm, Order order, std::int64_t count) {
  const test::TemporaryFolder folder;  // each rank's own copy: equal files, as on equal nodes
  const test::DatasetFile content{.train_count = count};
  content.write(folder / "data.h5");
  const Reader reader(folder / "data.h5");
  RankOrder samples({order, 5, {.block = 4, .blocks_a_window = 2}}, count, comm.size(), comm.rank(),
                    [&](Range range) { reader.will_need(Split::train, range.begin, range.size()); });
  std::vector<std::uint8_t> pixels(reader.info().image_bytes());
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::vector<std::int64_t> seen(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < samples.per_epoch(); ++i) {
      const std::int64_t sample = samples.next();
      reader.read_images(Split::train, {&sample, 1}, pixels.data());
      ++seen.at(static_cast<std::size_t>(recognise(content, pixels)));
    }
    comm.sum_in_place(std::span(seen));
    EXPECT_EQ(seen, std::vector<std::int64_t>(static_cast<std::size_t>(count), 1))
        << to_string(order) << ", " << count << " pictures, epoch " << epoch;
  }
}

TEST(Epoch, ReachesEveryPictureOnce) {
  const auto comm = mpi::Communicator::world();
  // Divisible by the ranks or not, and fewer than ranks.
  for (const Order order : {Order::sequential, Order::shuffled, Order::window})
    for (const std::int64_t count : {1, 3, 24, 47}) expect_every_picture_once(comm, order, count);
}

}  // namespace
}  // namespace whorl::dataset
