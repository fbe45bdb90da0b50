// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/leftover.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <sstream>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "ingest/input_file.hpp"

namespace whorl::ingest {

namespace {

namespace fs = std::filesystem;

std::vector<JournalContent> journals_in(const fs::path& folder) {
  std::vector<JournalContent> journals;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with("journal-")) continue;
    if (auto content = read_journal(entry.path())) journals.push_back(std::move(*content));
  }
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

Leftover collect(const std::vector<Folder>& folders) {
  Leftover leftover;
  std::map<std::int64_t, Leftover::Picture> found;
  for (const Folder& folder : folders) {
    const std::size_t before = found.size();
    for (const JournalContent& journal : folder.journals) {
      // A journal may not lead out of its folder.
      leftover.files.push_back((folder.path / fs::path(journal.data).filename()).string());
      for (const StoredPicture& stored : journal.pictures)
        found.try_emplace(stored.item, Leftover::Picture{stored, std::ssize(leftover.files) - 1});
    }
    if (found.size() == before) fs::remove_all(folder.path);
  }
  for (const auto& [item, picture] : found) leftover.pictures.push_back(picture);
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

}  // namespace

std::int64_t count_finished(const fs::path& folder) {
  return count_pictures(journals_in(folder));
}

Leftover read_leftover(const mpi::Communicator& comm, const std::vector<fs::path>& folders,
                       const std::string& recipe) {
  Leftover leftover;
  mpi::on_root(comm, [&] { leftover = collect(read_folders(folders, recipe)); });
  broadcast(comm, leftover);
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
