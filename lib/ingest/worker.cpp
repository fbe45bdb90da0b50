// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/worker.hpp"

#include <algorithm>

#include "base/block_range.hpp"
#include "base/error.hpp"
#include "mpi/session.hpp"

namespace whorl::ingest {

namespace {

// Three planes, one per colour, to pixels of three values.
void interleave(std::span<const std::uint8_t> planes, std::span<std::uint8_t> pixels) {
  const std::size_t area = planes.size() / 3;
  for (std::size_t i = 0; i < area; ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel)
      pixels[i * 3 + channel] = planes[channel * area + i];
  }
}

}  // namespace

Worker::Worker(const mpi::Communicator& comm, const Manifest& manifest, int size, PictureStore& store,
               mpi::PhaseTimer& timer)
    : comm_(comm),
      manifest_(manifest),
      size_(size),
      store_(store),
      timer_(timer),
      restored_(manifest.items.size(), 0) {}

std::int64_t Worker::restore(const Leftover& leftover) {
  const auto scope = enter(timer_, read_phase);
  const Range mine = block_range(std::ssize(leftover.pictures), comm_.size(), comm_.rank());
  mpi::together(comm_, [&] {
    std::vector<std::uint8_t> stored;
    for (std::int64_t i = mine.begin; i < mine.end; ++i) {
      const Leftover::Picture& picture = leftover.pictures[i];
      const std::int64_t item = picture.stored.item;
      require(item >= 0 && item < std::ssize(restored_), "{} is damaged: its journal names picture {} of {}",
              leftover.files[static_cast<std::size_t>(picture.file)], item, restored_.size());
      if (!read_finished(leftover, picture, stored)) continue;
      add_to_sums(item, store_.restore(item, stored));
      restored_[item] = 1;
    }
    store_.flush();  // so that nothing of the leftover is needed any more
  });
  comm_.sum_in_place(std::span(restored_));
  return std::ranges::count(restored_, 1);
}

std::vector<std::int64_t> Worker::missing_items() const {
  std::vector<std::int64_t> items;
  for (std::int64_t i = 0; i < std::ssize(restored_); ++i) {
    if (restored_[i] == 0) items.push_back(i);
  }
  return items;
}

void Worker::run(double most_rejects) {
  const std::vector<std::int64_t> items = missing_items();
  PartitionReader reader(comm_, manifest_, items);
  Progress progress("ingest", "pictures", std::ssize(items), comm_.is_root());
  for (bool more = true; more;) {
    std::string failure;
    try {
      more = process_round(reader, progress);
    } catch (const CollectiveError&) {
      throw;
    } catch (const std::exception& error) {
      failure = fmt::format("rank {} (host {}): {}", comm_.rank(), mpi::host_name(), describe(error));
    }
    set_activity("wait for the other ranks");
    mpi::agree(comm_, failure);
    const std::int64_t rejected = comm_.sum(std::int64_t{std::ssize(rejects_)});
    done_by_all_ = comm_.sum(done_);
    if (rejected > 0) progress.note(fmt::format("{} rejected", rejected));
    progress.update(done_by_all_);
    if (static_cast<double>(rejected) > most_rejects) more = false;
  }
}

bool Worker::process_round(PartitionReader& reader, Progress& progress) {
  if (!next_round(reader)) return false;
  const std::int64_t done_before = done_;
  while (const auto picture = take(reader)) {
    if (decode(*picture, place(picture->item))) keep(picture->item);
    ++done_;
    // As if the others were as far as this rank; counted at the end of the round.
    progress.update(done_by_all_ + (done_ - done_before) * comm_.size());
  }
  return true;
}

bool Worker::next_round(PartitionReader& reader) {
  const auto scope = enter(timer_, read_phase);
  return reader.next();
}

std::optional<Picture> Worker::take(PartitionReader& reader) {
  const auto scope = enter(timer_, read_phase);
  return reader.take();
}

std::span<std::uint8_t> Worker::place(std::int64_t item) {
  const auto scope = enter(timer_, write_phase);  // what is full is written now
  return store_.place(item);
}

// False if the picture is rejected.
bool Worker::decode(const Picture& picture, std::span<std::uint8_t> pixels) {
  const auto scope = enter(timer_, decode_phase);
  if (!picture.problem.empty()) {
    rejects_.push_back({picture.item, picture.problem});
    return false;
  }
  if (manifest_.encoding == Encoding::cifar) {
    interleave(picture.bytes, pixels);
    return true;
  }
  try {
    decoder_.decode(picture.bytes, size_, pixels.data());
    return true;
  } catch (const image::DecodeError& error) {
    rejects_.push_back({picture.item, error.what()});
    return false;
  }
}

void Worker::keep(std::int64_t item) {
  const auto scope = enter(timer_, write_phase);
  add_to_sums(item, store_.keep(item));
}

void Worker::add_to_sums(std::int64_t item, std::span<const std::uint8_t> stored) {
  if (manifest_.items[item].split == dataset::Split::train) sums_.add(stored);
}

}  // namespace whorl::ingest
