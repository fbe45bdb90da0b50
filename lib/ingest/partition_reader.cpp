// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/partition_reader.hpp"

#include <algorithm>

#include "base/block_range.hpp"
#include "base/error.hpp"
#include "base/progress.hpp"
#include "ingest/input_file.hpp"

namespace whorl::ingest {

PartitionReader::PartitionReader(const mpi::Communicator& comm, const Manifest& manifest,
                                 const std::vector<std::int64_t>& items, const ReadLimits& limits)
    : comm_(comm),
      manifest_(manifest),
      limits_(limits),
      node_(comm.split_by_node()),
      peers_(node_.all_gather(comm.rank())),
      claims_(node_),
      rounds_(peers_.size()) {
  plan(items);
  std::int64_t largest = 0;
  for (const Round& round : rounds_[static_cast<std::size_t>(node_.rank())])
    largest = std::max(largest, round.size);
  buffer_.resize(static_cast<std::size_t>(largest));
}

void PartitionReader::plan(const std::vector<std::int64_t>& items) {
  std::vector<std::vector<std::int64_t>> of_file(manifest_.files.size());
  for (const std::int64_t item : items) of_file[manifest_.items[item].file].push_back(item);
  std::vector<std::int64_t> loose;
  for (std::size_t file = 0; file < of_file.size(); ++file) {
    if (manifest_.files[file].shared) {
      std::ranges::sort(of_file[file], {}, [&](std::int64_t item) { return manifest_.items[item].offset; });
      plan_run(static_cast<std::int32_t>(file), of_file[file]);
    } else {
      loose.insert(loose.end(), of_file[file].begin(), of_file[file].end());
    }
  }
  plan_run(loose_files, loose);
}

// The part of `items` of each rank of the node, in rounds; as many rounds as the rank with the most needs.
void PartitionReader::plan_run(std::int32_t file, const std::vector<std::int64_t>& items) {
  // Part of a picture's work does not depend on its file's size: about as much as 64 KB of JPEG are.
  constexpr std::int64_t fixed_work = 64 << 10;
  std::vector<std::int64_t> work;
  work.reserve(items.size());
  for (const std::int64_t item : items) work.push_back(manifest_.items[item].size + fixed_work);
  const std::vector<Range> parts = balanced_ranges(work, comm_.size());
  const auto begin = std::ssize(order_);
  order_.insert(order_.end(), items.begin(), items.end());

  std::vector<Rounds> rounds;
  std::size_t most = 0;
  for (const int rank : peers_) {
    const Range part = parts[static_cast<std::size_t>(rank)];
    rounds.push_back(cut(file, {begin + part.begin, begin + part.end}));
    most = std::max(most, rounds.back().size());
  }
  most = comm_.max(most);
  for (std::size_t peer = 0; peer < peers_.size(); ++peer) {
    rounds[peer].resize(most, {file, 0, 0, {}, 0});
    for (Round& round : rounds[peer]) {
      if (!rounds_[peer].empty())
        round.first = rounds_[peer].back().first + rounds_[peer].back().items.size();
      rounds_[peer].push_back(round);
    }
  }
}

PartitionReader::Rounds PartitionReader::cut(std::int32_t file, Range items) const {
  Rounds rounds;
  for (std::int64_t i = items.begin; i < items.end; ++i) {
    const Item& item = manifest_.items[order_[i]];
    if (rounds.empty() || !fits(rounds.back(), item))
      rounds.push_back({file, file == loose_files ? 0 : item.offset, 0, {i, i}, 0});
    Round& round = rounds.back();
    round.items.end = i + 1;
    if (item.size > limits_.picture_bytes) continue;
    round.size = file == loose_files ? round.size + item.size : item.offset + item.size - round.offset;
  }
  return rounds;
}

bool PartitionReader::fits(const Round& round, const Item& item) const {
  if (item.size > limits_.picture_bytes) return true;  // not read at all
  const std::int64_t size =
      round.file == loose_files ? round.size + item.size : item.offset + item.size - round.offset;
  return size <= limits_.round_bytes;
}

bool PartitionReader::next() {
  pictures_.clear();
  const Rounds& rounds = rounds_[static_cast<std::size_t>(node_.rank())];
  if (next_ == rounds.size()) return false;
  const Round& round = rounds[next_++];
  if (round.file == loose_files) {
    read_loose(round);
  } else {
    read_shared(round);
  }
  return true;
}

std::optional<Picture> PartitionReader::take() {
  for (int step = 0; step < node_.size(); ++step) {
    const int rank = (node_.rank() + step) % node_.size();
    const Round& round = rounds_[static_cast<std::size_t>(rank)][next_ - 1];
    const auto number = claims_.claim(rank, round.first + round.items.size());
    if (!number) continue;
    const std::int64_t index = *number - round.first;
    if (rank == node_.rank()) return pictures_[static_cast<std::size_t>(index)];
    return read_alone(round.file, order_[static_cast<std::size_t>(round.items.begin + index)]);
  }
  return std::nullopt;
}

void PartitionReader::read_shared(const Round& round) {
  if (open_file_ != round.file) {
    if (open_) open_->close();
    open_ = mpi::File::open(comm_, manifest_.files[round.file].path, mpi::File::Mode::read);
    open_file_ = round.file;
  }
  const auto bytes = std::span(buffer_).first(static_cast<std::size_t>(round.size));
  open_->read_at_all(round.offset, std::as_writable_bytes(bytes));
  for (std::int64_t i = round.items.begin; i < round.items.end; ++i) {
    const std::int64_t index = order_[static_cast<std::size_t>(i)];
    const Item& item = manifest_.items[index];
    if (item.size > limits_.picture_bytes) {
      pictures_.push_back({index, {}, too_large(item)});
    } else {
      pictures_.push_back({index,
                           bytes.subspan(static_cast<std::size_t>(item.offset - round.offset),
                                         static_cast<std::size_t>(item.size)),
                           {}});
    }
  }
}

void PartitionReader::read_loose(const Round& round) {
  std::span<std::uint8_t> room(buffer_);
  for (std::int64_t i = round.items.begin; i < round.items.end; ++i) {
    pictures_.push_back(read_loose_file(order_[static_cast<std::size_t>(i)], room));
    room = room.subspan(pictures_.back().bytes.size());
  }
}

// A picture that another rank has read, but will not come to soon.
Picture PartitionReader::read_alone(std::int32_t file, std::int64_t index) {
  const Item& item = manifest_.items[index];
  if (item.size > limits_.picture_bytes) return {index, {}, too_large(item)};
  taken_over_.resize(static_cast<std::size_t>(item.size));
  if (file == loose_files) return read_loose_file(index, taken_over_);
  open_->read_at(item.offset, std::as_writable_bytes(std::span(taken_over_)));
  return {index, taken_over_, {}};
}

// With POSIX calls: opening, reading and closing a picture takes 5 us with them, with MPI-IO on MPI_COMM_SELF
// 50 us (ROMIO) to 370 us (OMPIO); no other rank reads the file, so MPI-IO has nothing to offer.
Picture PartitionReader::read_loose_file(std::int64_t index, std::span<std::uint8_t> buffer) const {
  const Item& item = manifest_.items[index];
  if (item.size > limits_.picture_bytes) return {index, {}, too_large(item)};
  const auto bytes = buffer.first(static_cast<std::size_t>(item.size));
  try {
    InputFile(manifest_.files[item.file].path).read(0, bytes);
    return {index, bytes, {}};
  } catch (const BadFile& error) {
    return {index, {}, error.what()};
  }
}

std::string PartitionReader::too_large(const Item& item) const {
  return fmt::format("file of {} is larger than the limit of {}",
                     format_bytes(static_cast<double>(item.size)),
                     format_bytes(static_cast<double>(limits_.picture_bytes)));
}

}  // namespace whorl::ingest
