// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace whorl {

/// Throws, naming the cause, unless `path` is a regular file that this process can open for reading.
void require_readable(const std::filesystem::path& path);

/// Creates `path`, or empties it; throws naming the cause.
void create_empty_file(const std::filesystem::path& path);

/// Sets aside disk space for the bytes [offset, offset + count) of an existing file, so that a full disk is
/// noticed now, not hours later. Does nothing on file systems that cannot. Throws when there is no room.
void reserve_space(const std::filesystem::path& path, std::int64_t offset, std::int64_t count);

/// " (No space left on device)" if that is so where `path` lies, else "": MPI and HDF5 lose this cause on the
/// way up.
std::string disk_full_note(const std::filesystem::path& path);

/// A file that appears under its name only when it is whole. Until publish() it lies beside that as
/// .draft-XXXXXXXX-NAME, with digits that nobody can foresee, made by this object and no one else; it is
/// removed where it is never published. One process uses it.
class Draft {
 public:
  /// Creates it, empty.
  explicit Draft(std::filesystem::path target);
  ~Draft();
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const std::filesystem::path& target() const { return target_; }
  /// fsync, rename to the target, fsync of the folder.
  void publish();

 private:
  std::filesystem::path target_, path_;
};

/// Whether a file of this name is a draft, which a process that was killed has left.
bool is_draft(const std::filesystem::path& path);

/// Removes what killed processes have left of drafts in `folder`.
void remove_drafts(const std::filesystem::path& folder);

/// Writes `text` so that `path` is either the old file or the whole new one: by a Draft.
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// Writes `text` behind the last byte of an existing file.
void append_to_file(const std::filesystem::path& path, std::string_view text);

/// Returns when what this node has written to the file is on its disk.
void sync_file(const std::filesystem::path& path);

enum class IfThere { replace, refuse };
/// fsyncs `from`, renames it to `to`, and fsyncs the folder. One process calls it.
void publish_file(const std::filesystem::path& from, const std::filesystem::path& to,
                  IfThere if_there = IfThere::replace);

/// Replaces the bytes of an existing file from `offset` on.
void write_at(const std::filesystem::path& path, std::int64_t offset, std::span<const std::byte> bytes);

/// The whole file as text; throws naming the file and the cause, also where it is no regular file.
std::string read_text_file(const std::filesystem::path& path);

/// The same of what somebody writes by hand and names on a command line: at most 16 MB, which may come out of
/// a pipe as well.
std::string read_text_input(const std::filesystem::path& path);

}  // namespace whorl
