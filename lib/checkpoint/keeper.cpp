// SPDX-License-Identifier: BSD-3-Clause
#include "checkpoint/keeper.hpp"

#include <fmt/core.h>

#include <cstdio>

#include "base/error.hpp"
#include "checkpoint/folder.hpp"

namespace whorl::checkpoint {

namespace {

/// Whether the checkpoint is there; old ones that stay only take up room.
bool save_and_prune(const std::filesystem::path& folder, const Checkpoint& checkpoint, int keep) {
  try {
    save(path_for(folder, checkpoint.state.step), checkpoint);
  } catch (const std::exception& error) {
    fmt::print(stderr, "warning: no checkpoint of step {}: {}; training goes on\n", checkpoint.state.step,
               describe(error));
    return false;
  }
  try {
    keep_newest(folder, keep);
  } catch (const std::exception& error) {
    fmt::print(stderr, "warning: cannot remove old checkpoints: {}; training goes on\n", describe(error));
  }
  return true;
}

}  // namespace

Keeper::Keeper(const mpi::Communicator& comm, std::filesystem::path folder,
               const train::CheckpointOptions& options, std::string job, std::string dataset_digest)
    : comm_(comm),
      folder_(std::move(folder)),
      options_(options),
      job_(std::move(job)),
      dataset_digest_(std::move(dataset_digest)) {
  mpi::on_root(comm_, [&] { std::filesystem::create_directories(folder_); });
}

Keeper::~Keeper() {
  finish_writing();
}

bool Keeper::is_due_by_clock() const {
  return comm_.is_root() && options_.seconds > 0 && !is_writing() &&
         std::chrono::duration<double>(Clock::now() - last_).count() >= options_.seconds;
}

void Keeper::take(const train::Trainer& trainer, std::string record) {
  Checkpoint checkpoint{trainer.state(), job_, dataset_digest_, std::move(record)};
  if (!comm_.is_root() || is_writing()) return;
  finish_writing();
  last_ = Clock::now();
  writing_ = std::async(std::launch::async, [this, checkpoint = std::move(checkpoint)] {
    return save_and_prune(folder_, checkpoint, options_.keep);
  });
}

bool Keeper::take_and_wait(const train::Trainer& trainer, std::string record) {
  finish_writing();
  const bool had_failed = std::exchange(has_failed_, false);
  take(trainer, std::move(record));
  finish_writing();
  const bool is_written = !has_failed();
  has_failed_ = has_failed_ || had_failed;
  return is_written;
}

void Keeper::wait() {
  finish_writing();
  comm_.barrier();
}

bool Keeper::has_failed() const {
  return comm_.max(has_failed_ ? 1 : 0) > 0;
}

bool Keeper::is_writing() const {
  return writing_.valid() && writing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

void Keeper::finish_writing() {
  if (writing_.valid() && !writing_.get()) has_failed_ = true;
}

}  // namespace whorl::checkpoint
