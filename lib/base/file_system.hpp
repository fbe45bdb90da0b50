// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace whorl {

/// Throws, naming the cause, unless `path` is a file (not a folder) that this process can open for reading.
void require_readable(const std::filesystem::path& path);

/// Creates `path`, or empties it; throws naming the cause.
void create_empty_file(const std::filesystem::path& path);

/// Sets aside disk space for the bytes [offset, offset + count) of an existing file, so that a full disk is
/// noticed now, not hours later. Does nothing on file systems that cannot. Throws when there is no room.
void reserve_space(const std::filesystem::path& path, std::int64_t offset, std::int64_t count);

/// " (No space left on device)" if that is so where `path` lies, else "": MPI and HDF5 lose this cause on the
/// way up.
std::string disk_full_note(const std::filesystem::path& path);

/// Writes `text` so that `path` is either the old file or the whole new one: temporary name, fsync, rename.
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// Writes `text` behind the last byte of an existing file.
void append_to_file(const std::filesystem::path& path, std::string_view text);

/// Creates an empty file in `folder` that nobody else can name or open: .PREFIX-XXXXXX with random letters.
std::filesystem::path create_private_file(const std::filesystem::path& folder, const std::string& prefix);

/// fsyncs `from`, renames it to `to`, and fsyncs the folder. One process calls it.
void publish_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// Replaces the bytes of an existing file from `offset` on.
void write_at(const std::filesystem::path& path, std::int64_t offset, std::span<const std::byte> bytes);

/// The whole file as text; throws naming the file and the cause.
std::string read_text_file(const std::filesystem::path& path);

}  // namespace whorl
