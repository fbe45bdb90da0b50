// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/folder_tree.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/error.hpp"
#include "base/progress.hpp"

namespace whorl::ingest {

namespace {

namespace fs = std::filesystem;

bool is_inside(const fs::path& path, const fs::path& folder) {
  return std::ranges::mismatch(folder, path).in1 == folder.end();
}

class FolderWalk {
 public:
  explicit FolderWalk(const std::string& folder) : root_(fs::canonical(folder)) {
    listing_.location = folder;
    walk(folder, "");
  }

  Listing take() {
    std::ranges::sort(listing_.entries, {}, &Entry::path);
    return std::move(listing_);
  }

 private:
  void walk(const fs::path& folder, const std::string& prefix) {
    // In order of names, so that it does not depend on the file system which of several links to one folder
    // is followed.
    for (const fs::directory_entry& entry :
         std::set<fs::directory_entry>(fs::directory_iterator(folder), {})) {
      const std::string path = prefix + entry.path().filename().string();
      if (entry.is_symlink()) {
        follow(entry, path);
      } else {
        take_entry(entry, path);
      }
    }
  }

  void take_entry(const fs::directory_entry& entry, const std::string& path) {
    if (entry.is_directory()) {
      walk(entry.path(), path + "/");
    } else if (entry.is_regular_file()) {
      listing_.entries.push_back({path, 0, static_cast<std::int64_t>(entry.file_size())});
    } else {
      skip(path, "neither a file nor a folder");
    }
  }

  void follow(const fs::directory_entry& link, const std::string& path) {
    std::error_code error;
    const fs::path target = fs::canonical(link.path(), error);
    if (error) {
      skip(path, fmt::format("the link leads nowhere ({})", error.message()));
    } else if (!is_inside(target, root_)) {
      skip(path, "the link leads out of the folder");
    } else if (fs::is_directory(target) && (is_inside(fs::canonical(link.path().parent_path()), target) ||
                                            !followed_.insert(target).second)) {
      skip(path, "the linked folder is listed already");
    } else {
      take_entry(link, path);
    }
  }

  void skip(const std::string& path, const std::string& reason) {
    listing_.notes.push_back(printable(fmt::format("{}: skipped, {}", path, reason)));
  }

  fs::path root_;
  std::set<fs::path> followed_;
  Listing listing_;
};

}  // namespace

Listing list_folder(const std::string& folder) {
  try {
    return FolderWalk(folder).take();
  } catch (const fs::filesystem_error& error) {
    throw Error("cannot list {}: {}", error.path1().string(), error.code().message());
  }
}

}  // namespace whorl::ingest
