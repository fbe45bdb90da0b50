// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/partition_reader.hpp"

#include <algorithm>

#include "base/block_range.hpp"
#include "base/error.hpp"
#include "base/progress.hpp"
#include "ingest/input_file.hpp"

namespace whorl::ingest {

PartitionReader::PartitionReader(const mpi::Communicator& comm, const Manifest& manifest,
                                 const ReadLimits& limits)
    : comm_(comm), manifest_(manifest), limits_(limits) {
  plan();
  std::int64_t largest = 0;
  for (const Round& round : rounds_) largest = std::max(largest, round.size);
  buffer_.resize(static_cast<std::size_t>(largest));
}

void PartitionReader::plan() {
  std::vector<std::vector<std::int64_t>> of_file(manifest_.files.size());
  for (std::int64_t i = 0; i < std::ssize(manifest_.items); ++i)
    of_file[manifest_.items[i].file].push_back(i);
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

// This rank's part of `items`, in rounds; as many rounds as the rank with the most needs.
void PartitionReader::plan_run(std::int32_t file, const std::vector<std::int64_t>& items) {
  // Part of a picture's work does not depend on its file's size: about as much as 64 KB of JPEG are.
  constexpr std::int64_t fixed_work = 64 << 10;
  std::vector<std::int64_t> work;
  for (const std::int64_t item : items) work.push_back(manifest_.items[item].size + fixed_work);
  const Range mine = balanced_ranges(work, comm_.size())[static_cast<std::size_t>(comm_.rank())];
  std::vector<Round> rounds;
  for (std::int64_t i = mine.begin; i < mine.end; ++i) {
    const Item& item = manifest_.items[items[i]];
    if (rounds.empty() || !fits(rounds.back(), item))
      rounds.push_back({file, file == loose_files ? 0 : item.offset, 0, {}});
    Round& round = rounds.back();
    round.items.push_back(items[i]);
    if (item.size > limits_.picture_bytes) continue;
    round.size = file == loose_files ? round.size + item.size : item.offset + item.size - round.offset;
  }
  rounds.resize(static_cast<std::size_t>(comm_.max(std::ssize(rounds))), {file, 0, 0, {}});
  rounds_.insert(rounds_.end(), rounds.begin(), rounds.end());
}

bool PartitionReader::fits(const Round& round, const Item& item) const {
  if (item.size > limits_.picture_bytes) return true;  // not read at all
  const std::int64_t size =
      round.file == loose_files ? round.size + item.size : item.offset + item.size - round.offset;
  return size <= limits_.round_bytes;
}

bool PartitionReader::next() {
  pictures_.clear();
  if (next_ == rounds_.size()) return false;
  const Round& round = rounds_[next_++];
  if (round.file == loose_files) {
    read_loose(round);
  } else {
    read_shared(round);
  }
  return true;
}

void PartitionReader::read_shared(const Round& round) {
  if (open_file_ != round.file) {
    if (open_) open_->close();
    open_ = mpi::File::open(comm_, manifest_.files[round.file].path, mpi::File::Mode::read);
    open_file_ = round.file;
  }
  const auto bytes = std::span(buffer_).first(static_cast<std::size_t>(round.size));
  open_->read_at_all(round.offset, std::as_writable_bytes(bytes));
  for (const std::int64_t index : round.items) {
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
  std::size_t used = 0;
  for (const std::int64_t item : round.items) read_loose_file(item, used);
}

// With POSIX calls: opening, reading and closing a picture takes 5 us with them, with MPI-IO on MPI_COMM_SELF
// 50 us (ROMIO) to 370 us (OMPIO); no other rank reads the file, so MPI-IO has nothing to offer.
void PartitionReader::read_loose_file(std::int64_t index, std::size_t& used) {
  const Item& item = manifest_.items[index];
  if (item.size > limits_.picture_bytes) {
    pictures_.push_back({index, {}, too_large(item)});
    return;
  }
  const auto bytes = std::span(buffer_).subspan(used, static_cast<std::size_t>(item.size));
  try {
    InputFile(manifest_.files[item.file].path).read(0, bytes);
    used += bytes.size();
    pictures_.push_back({index, bytes, {}});
  } catch (const Error& error) {
    pictures_.push_back({index, {}, error.what()});
  }
}

std::string PartitionReader::too_large(const Item& item) const {
  return fmt::format("file of {} is larger than the limit of {}",
                     format_bytes(static_cast<double>(item.size)),
                     format_bytes(static_cast<double>(limits_.picture_bytes)));
}

}  // namespace whorl::ingest
