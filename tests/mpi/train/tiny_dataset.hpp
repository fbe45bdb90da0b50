// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>

#include "dataset/reader.hpp"
#include "support/dataset_file.hpp"
#include "support/temporary_folder.hpp"
#include "train/job.hpp"

namespace whorl::test {

inline constexpr int tiny_size = 16;
inline constexpr int tiny_classes = 3;

/// A dataset file that only this rank reads.
class TinyDataset {
 public:
  TinyDataset(std::int64_t train_count, std::int64_t test_count) {
    DatasetFile{.image_size = tiny_size, .train_count = train_count, .test_count = test_count}.write(
        folder_ / "tiny.h5");
    reader_.emplace(folder_ / "tiny.h5");
  }
  const dataset::Reader& reader() const { return *reader_; }

 private:
  TemporaryFolder folder_;
  std::optional<dataset::Reader> reader_;
};

/// Whole and quick: `steps` steps of `shards` shards of 4 pictures on the petal network, in many small
/// buckets and chunks.
inline train::Job tiny_job(const std::string& device, int shards) {
  train::Job job;
  job.train.epochs = 1;
  job.train.batch = 4 * shards;
  job.train.shard = 4;
  job.train.whitening_samples = 12;
  job.optimizer.learning_rate = 0.01;
  job.augment.flip = "random";
  job.augment.crop_padding = 2;
  job.parallel.device = device;
  job.parallel.threads = 1;
  job.parallel.all_reduce = "ring";
  job.parallel.bucket_bytes = 4096;
  job.parallel.chunk_bytes = 1000;
  return job;
}

}  // namespace whorl::test
