// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/leftover.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <sstream>
#include <utility>

#include "base/block_range.hpp"
#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file_system.hpp"
#include "ingest/input_file.hpp"

namespace whorl::ingest {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> journal_paths(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("journal-")) paths.push_back(entry.path());
  return paths;
}

std::vector<JournalContent> journals_in(const fs::path& folder) {
  std::vector<JournalContent> journals;
  for (const fs::path& path : journal_paths(folder))
    if (auto content = read_journal(path)) journals.push_back(std::move(*content));
  return journals;
}

std::int64_t count_pictures(const std::vector<JournalContent>& journals) {
  std::int64_t count = 0;
  for (const JournalContent& journal : journals) count += std::ssize(journal.pictures);
  return count;
}

struct Folder {
  fs::path path;
  std::vector<JournalContent> journals;
};

// The one with the most pictures first.
std::vector<Folder> read_folders(const std::vector<fs::path>& paths, const std::string& recipe) {
  std::vector<Folder> folders;
  for (const fs::path& path : paths) {
    folders.push_back({path, journals_in(path)});
    for (const JournalContent& journal : folders.back().journals)
      require(journal.recipe == recipe,
              "{} is of another job and cannot be resumed by this one; remove it, or repeat that job\n"
              "  that job:  {}\n  this job:  {}",
              path.string(), journal.recipe, recipe);
  }
  std::ranges::stable_sort(folders, std::greater(),
                           [](const Folder& folder) { return count_pictures(folder.journals); });
  return folders;
}

// With every copy of a picture, that of the folder with the most pictures first.
Leftover collect(const std::vector<Folder>& folders) {
  Leftover leftover;
  for (const Folder& folder : folders) {
    for (const JournalContent& journal : folder.journals) {
      // A journal may not lead out of its folder.
      leftover.files.push_back((folder.path / fs::path(journal.data).filename()).string());
      for (const StoredPicture& stored : journal.pictures)
        leftover.pictures.push_back({stored, std::ssize(leftover.files) - 1});
    }
  }
  std::ranges::stable_sort(leftover.pictures, {},
                           [](const Leftover::Picture& picture) { return picture.stored.item; });
  return leftover;
}

// From rank 0 to all others.
void broadcast(const mpi::Communicator& comm, Leftover& leftover) {
  std::string files;
  for (const std::string& file : leftover.files) files += file + '\0';
  std::string pictures(reinterpret_cast<const char*>(leftover.pictures.data()),
                       leftover.pictures.size() * sizeof(Leftover::Picture));
  comm.broadcast(files);
  comm.broadcast(pictures);
  leftover.files.clear();
  std::istringstream stream(files);
  for (std::string file; std::getline(stream, file, '\0');) leftover.files.push_back(file);
  leftover.pictures.resize(pictures.size() / sizeof(Leftover::Picture));
  std::ranges::copy(pictures, reinterpret_cast<char*>(leftover.pictures.data()));
}

// Which of `pictures` are copies of the same one, for each that there is.
std::vector<Range> group_copies(const std::vector<Leftover::Picture>& pictures) {
  std::vector<Range> groups;
  for (std::int64_t i = 0; i < std::ssize(pictures); ++i) {
    if (i == 0 || pictures[i].stored.item != pictures[i - 1].stored.item) groups.push_back({i, i});
    groups.back().end = i + 1;
  }
  return groups;
}

std::int64_t first_sound(const Leftover& leftover, Range copies) {
  std::vector<std::uint8_t> bytes;
  for (std::int64_t i = copies.begin; i < copies.end; ++i)
    if (read_finished(leftover, leftover.pictures[i], bytes)) return i;
  return copies.begin;
}

// Leaves one copy of each picture: a journal may have outlived the bytes it names.
void choose_copies(const mpi::Communicator& comm, Leftover& leftover) {
  const std::vector<Range> groups = group_copies(leftover.pictures);
  if (groups.size() == leftover.pictures.size()) return;
  std::vector<std::int64_t> chosen(groups.size(), 0);
  const Range mine = block_range(std::ssize(groups), comm.size(), comm.rank());
  mpi::together(comm, [&] {
    for (std::int64_t i = mine.begin; i < mine.end; ++i)
      chosen[i] = groups[i].size() == 1 ? groups[i].begin : first_sound(leftover, groups[i]);
  });
  comm.sum_in_place(std::span(chosen));
  std::vector<Leftover::Picture> pictures(chosen.size());
  std::ranges::transform(chosen, pictures.begin(), [&](std::int64_t i) { return leftover.pictures[i]; });
  leftover.pictures = std::move(pictures);
}

void find_spare(Leftover& leftover, std::set<fs::path>& needed) {
  std::vector<bool> is_used(leftover.files.size(), false);
  for (const Leftover::Picture& picture : leftover.pictures)
    is_used[static_cast<std::size_t>(picture.file)] = true;
  std::set<fs::path> folders;
  for (std::size_t i = 0; i < leftover.files.size(); ++i) {
    const fs::path folder = fs::path(leftover.files[i]).parent_path();
    folders.insert(folder);
    if (is_used[i]) needed.insert(folder);
  }
  std::ranges::set_difference(folders, needed, std::back_inserter(leftover.spare));
}

// Each node has its own page cache.
void sync_folders(const mpi::Communicator& comm, const std::set<fs::path>& folders) {
  mpi::together(comm, [&] {
    for (const fs::path& folder : folders)
      for (const auto& entry : fs::directory_iterator(folder)) sync_file(entry.path());
  });
}

}  // namespace

std::int64_t count_finished(const fs::path& folder) {
  return count_pictures(journals_in(folder));
}

std::set<std::string> files_of_journals(const fs::path& folder) {
  std::set<std::string> names;
  for (const fs::path& path : journal_paths(folder)) names.insert(path.filename().string());
  for (const JournalContent& journal : journals_in(folder)) names.insert(journal.data);
  return names;
}

Leftover read_leftover(const mpi::Communicator& comm, const std::vector<fs::path>& folders,
                       const std::string& recipe) {
  Leftover leftover;
  mpi::on_root(comm, [&] { leftover = collect(read_folders(folders, recipe)); });
  broadcast(comm, leftover);
  choose_copies(comm, leftover);
  std::set<fs::path> needed;
  find_spare(leftover, needed);
  if (!leftover.spare.empty()) sync_folders(comm, needed);
  return leftover;
}

bool read_finished(const Leftover& leftover, const Leftover::Picture& picture,
                   std::vector<std::uint8_t>& out) {
  const StoredPicture& stored = picture.stored;
  try {
    const InputFile file(leftover.files[static_cast<std::size_t>(picture.file)]);
    const bool is_inside = stored.offset >= 0 && stored.offset <= file.size() && stored.size >= 0 &&
                           stored.size <= file.size() - stored.offset;
    if (!is_inside) return false;
    out.resize(static_cast<std::size_t>(stored.size));
    return file.read_some(stored.offset, out) == out.size() &&
           checksum_of(std::as_bytes(std::span(out))) == stored.checksum;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace whorl::ingest
