// SPDX-License-Identifier: BSD-3-Clause
// A checkpoint, up to where a training goes on from it.
#include "checkpoint/checkpoint.hpp"

#include "hdf5.hpp"
#include "report/run_record.hpp"
#include "train/job.hpp"

namespace {

using namespace whorl;

void take(const std::string& path) {
  const checkpoint::Checkpoint checkpoint = checkpoint::load(path);
  fuzz::refuse_or_take([&] {
    train::Job job;
    train::apply_settings(job, train::parse_job_file(path, checkpoint.job));
    train::difference(job, {});
  });
  fuzz::refuse_or_take([&] { report::history_of(checkpoint.record, path).dump(); });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::take_sealed({data, size}, {"format", "step", "epoch_loss", "epoch_correct", "job", "dataset_digest"},
                    {"parameters", "momentum", "slow_weights", "gradient_exponents", "record"}, take);
  return 0;
}
