// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/class_folders.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace whorl::ingest {

namespace {

using dataset::Split;

const std::map<std::string_view, Split> split_folders = {{"train", Split::train},
                                                         {"test", Split::test},
                                                         {"val", Split::test},
                                                         {"valid", Split::test},
                                                         {"validation", Split::test}};

struct Path {
  std::size_t entry = 0;
  std::string_view name;  // below the folders that all share
  std::string_view rest;  // below the folders looked at so far
  std::optional<Split> split;

  // Empty for a file that lies in no further folder.
  std::string_view first_folder() const {
    const std::size_t slash = rest.find('/');
    return slash == std::string_view::npos ? std::string_view() : rest.substr(0, slash);
  }
};

std::set<std::string_view> first_folders(const std::vector<Path>& paths) {
  std::set<std::string_view> folders;
  for (const Path& path : paths) folders.insert(path.first_folder());
  folders.erase(std::string_view());
  return folders;
}

void enter_first_folder(std::vector<Path>& paths) {
  std::erase_if(paths, [](const Path& path) { return path.first_folder().empty(); });
  for (Path& path : paths) path.rest.remove_prefix(path.first_folder().size() + 1);
}

// Goes down while a level has one folder only, as long as another folder (the class) remains below.
void enter_shared_folders(std::vector<Path>& paths) {
  for (;;) {
    const std::set<std::string_view> folders = first_folders(paths);
    if (folders.size() != 1 || split_folders.contains(*folders.begin())) return;
    std::vector<Path> below = paths;
    enter_first_folder(below);
    if (first_folders(below).empty()) return;
    paths = std::move(below);
  }
}

// A class may be called "test": split folders are those beside a "train", or when there are no others.
bool are_split_folders(const std::set<std::string_view>& folders) {
  return folders.contains("train") || (!folders.empty() && std::ranges::all_of(folders, [](auto folder) {
           return split_folders.contains(folder);
         }));
}

void enter_split_folders(std::vector<Path>& paths) {
  std::erase_if(paths, [](const Path& path) { return !split_folders.contains(path.first_folder()); });
  for (Path& path : paths) path.split = split_folders.at(path.first_folder());
  enter_first_folder(paths);
}

}  // namespace

bool is_hidden(const std::string& path) {
  return path.starts_with('.') || path.find("/.") != std::string::npos;
}

ClassFolders find_class_folders(const std::vector<Entry>& entries) {
  ClassFolders found;
  std::vector<Path> paths;
  for (std::size_t entry = 0; entry < entries.size(); ++entry) {
    if (is_hidden(entries[entry].path)) {
      ++found.hidden;
    } else {
      paths.push_back({entry, {}, entries[entry].path, {}});
    }
  }
  const std::size_t visible = paths.size();
  enter_shared_folders(paths);
  for (Path& path : paths) path.name = path.rest;
  if (are_split_folders(first_folders(paths))) {
    enter_split_folders(paths);
    enter_shared_folders(paths);
  }
  for (const Path& path : paths) {
    const std::string_view class_name = path.first_folder();
    if (!class_name.empty()) {
      found.candidates.push_back({path.entry, std::string(path.name), std::string(class_name), path.split});
    }
  }
  found.outside = static_cast<std::int64_t>(visible - found.candidates.size());
  return found;
}

}  // namespace whorl::ingest
