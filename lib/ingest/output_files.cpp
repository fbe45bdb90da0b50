// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/output_files.hpp"

#include <fmt/core.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <set>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "base/progress.hpp"
#include "ingest/leftover.hpp"

namespace whorl::ingest {

namespace {

namespace fs = std::filesystem;

constexpr const char* folder_ending = ".partial-";
constexpr const char* lock_file = "lock";

fs::path make_folder(const fs::path& result) {
  std::string name = result.string() + folder_ending + "XXXXXX";
  const bool made = ::mkdtemp(name.data()) != nullptr;
  require(made, "cannot write {}: {}", result.string(), system_error_text(errno));
  return name;
}

// Somebody else's folder could hold anything.
bool is_own_folder(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid();
}

// Also true for what cannot be read: better kept than lost.
bool holds_pictures(const fs::path& folder) {
  try {
    return fs::exists(folder) && count_finished(folder) > 0;
  } catch (const std::exception&) {
    return true;
  }
}

// As far as it goes: NFS keeps names of files that are open somewhere, and so their folder.
void remove_tree(const fs::path& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

bool remove_without_pictures(const fs::path& folder) {
  if (holds_pictures(folder)) return false;
  remove_tree(folder);
  return true;
}

// An unpacked archive, say: of no use to another job, which needs the room.
void remove_scratch(const fs::path& folder) {
  const std::set<std::string> needed = files_of_journals(folder);
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name != lock_file && !needed.contains(name)) remove_tree(entry.path());
  }
}

}  // namespace

OutputFiles::OutputFiles(const mpi::Communicator& comm, fs::path result, bool overwrite, bool resume)
    : comm_(comm), result_(std::move(result)), if_there_(overwrite ? IfThere::replace : IfThere::refuse) {
  std::string folder;
  mpi::on_root(comm_, [&] {
    check_result();
    find_leftovers();
    lock_leftovers();
    // Only now: a job that was waited for may have finished it.
    require(overwrite || resume || !fs::exists(result_),
            "{} exists already; choose another name, or replace it with --overwrite", result_.string());
    if (jobs_have_ended_) {
      std::ranges::for_each(leftovers_, remove_scratch);
      std::erase_if(leftovers_, remove_without_pictures);
    }
    if (!resume) refuse_leftovers();
    folder = make_folder(result_);
    require(lock(folder), "another job, which has just begun to write {} too, has removed {}; wait for it",
            result_.string(), folder);
  });
  comm_.broadcast(folder);
  folder_ = folder;
}

void OutputFiles::check_result() const {
  const std::string name = result_.string();
  require(fs::exists(parent()), "cannot write {}: the folder {} does not exist", name, parent().string());
  require(!fs::is_directory(result_), "cannot write {}: it is a folder", name);
}

void OutputFiles::find_leftovers() {
  const std::string beginning = result_.filename().string() + folder_ending;
  for (const auto& entry : fs::directory_iterator(parent())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(beginning) && is_own_folder(entry.path()))
      leftovers_.push_back(result_.parent_path() / name);
  }
  std::ranges::sort(leftovers_);
}

void OutputFiles::lock_leftovers() {
  std::erase_if(leftovers_, [&](const fs::path& folder) { return !lock(folder); });
  jobs_have_ended_ = std::ranges::all_of(locks_, [](const auto& lock) { return lock->is_granted(); });
  if (jobs_have_ended_) return;
  for (const fs::path& folder : leftovers_)
    fmt::print(stderr,
               "warning: the file system has no file locks to tell whether a job is at work in {}, so it is "
               "kept; if there is none, remove it: rm -r {}\n",
               folder.string(), folder.string());
}

bool OutputFiles::lock(const fs::path& folder) {
  try {
    auto lock = FileLock::take(folder / lock_file);
    require(lock != nullptr, "another job is writing {} now, in {}; wait for it, or choose another name",
            result_.string(), folder.string());
    locks_.push_back(std::move(lock));
  } catch (const Error&) {
    if (fs::exists(folder)) throw;
  }
  return fs::exists(folder);
}

void OutputFiles::refuse_leftovers() const {
  if (leftovers_.empty()) return;
  const fs::path& folder = leftovers_.front();
  throw Error(
      "{} is what an interrupted job left; it holds {} finished pictures. Go on from there with --resume, or "
      "remove it: rm -r {}",
      folder.string(), count_finished(folder), folder.string());
}

bool OutputFiles::is_there() const {
  return comm_.max(comm_.is_root() && fs::exists(result_) ? 1 : 0) > 0;
}

OutputFiles::~OutputFiles() {
  if (holds_pictures(folder_)) return;
  locks_.clear();
  // Other ranks may be removing it too, and get in each other's way.
  std::error_code ignored;
  for (int tries = 0; tries < 10 && fs::exists(folder_, ignored); ++tries) remove_tree(folder_);
}

std::string OutputFiles::note_of_kept() const {
  if (!holds_pictures(folder_)) return {};
  return fmt::format("\nFinished pictures are kept in {}: the same command with --resume goes on from there",
                     folder_.string());
}

void OutputFiles::remove_leftovers(const std::vector<fs::path>& spare) {
  mpi::on_root(comm_, [&] {
    if (jobs_have_ended_) std::ranges::for_each(spare, remove_tree);
  });
}

h5::File& OutputFiles::create_hdf5(const fs::path& path) {
  return open_.emplace_back(h5::File::create_parallel(comm_, path));
}

void OutputFiles::close_hdf5() {
  for (h5::File& file : open_) file.close();
  open_.clear();
}

void OutputFiles::require_space(std::int64_t bytes) const {
  mpi::on_root(comm_, [&] {
    const auto free = static_cast<std::int64_t>(fs::space(parent()).available);
    require(bytes <= free,
            "{} needs {}, but only {} are free in {}; use a disk with more space, a smaller --size, or "
            "--store jpeg",
            result_.string(), format_bytes(static_cast<double>(bytes)),
            format_bytes(static_cast<double>(free)), parent().string());
  });
}

void OutputFiles::publish(const fs::path& finished) {
  mpi::together(comm_, [&] { sync_file(finished); });  // each node has its own page cache
  mpi::on_root(comm_, [&] { publish_file(finished, result_, if_there_); });
  clean_up();
}

void OutputFiles::clean_up() {
  mpi::on_root(comm_, [&] {
    if (jobs_have_ended_) std::ranges::for_each(leftovers_, remove_tree);
    remove_tree(folder_);
    locks_.clear();
  });
}

}  // namespace whorl::ingest
