// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "h5/handles.hpp"
#include "mpi/communicator.hpp"

namespace whorl::h5 {

/// An HDF5 file. A collective call that fails inside HDF5 throws on the ranks where it failed; the others may
/// still wait for them in there, so that only the end of the whole job is left (see mpi::run_main). What can
/// be foreseen (a missing folder, no room on the disk for a new dataset) is checked before, and throws
/// CollectiveError on all ranks.
///
/// Opened by all ranks of a communicator through MPI-IO (create_parallel), or by one process (create,
/// open_read).
class File {
 public:
  /// Collective. Truncates. Datasets of 4096 bytes or more are aligned to 4096 bytes; the format is that of
  /// HDF5 1.8, without time stamps, so that equal contents give equal bytes. The communicator must outlive
  /// the file.
  static File create_parallel(const mpi::Communicator& comm, const std::filesystem::path& path);
  static File create(const std::filesystem::path& path);
  /// Throws saying whether the file is missing, unreadable or not HDF5.
  static File open_read(const std::filesystem::path& path);

  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  /// Closes, unless the file is parallel and an exception unwinds (closing is then collective and would
  /// hang).
  ~File();
  /// Collective for parallel files; throws on failure (a full disk may show up here). Datasets of the file
  /// become unusable.
  void close();
  /// Collective, for parallel files. Afterwards each rank reads what any of them had written (MPI-4 14.6.1:
  /// sync, barrier, sync; on most file systems they would anyway).
  void share_writes() const;

  hid_t id() const { return id_; }
  const std::string& path() const { return path_; }
  bool is_parallel() const { return comm_ != MPI_COMM_NULL; }
  /// The communicator of a parallel file, else MPI_COMM_NULL.
  MPI_Comm comm() const { return comm_; }
  /// True if a link of this name exists; every component of "a/b" is looked up.
  bool contains(const std::string& name) const;

 private:
  File(hid_t id, std::string path, MPI_Comm comm) : id_(id), path_(std::move(path)), comm_(comm) {}
  hid_t id_ = H5I_INVALID_HID;
  std::string path_;
  MPI_Comm comm_ = MPI_COMM_NULL;
};

/// A dataset of a fixed shape and a native element type (std::uint8_t, std::int32_t, std::int64_t,
/// std::uint64_t, float, double). Rows are slices along the first dimension.
class Dataset {
 public:
  /// Contiguous layout, allocated early and not filled, its disk space reserved; missing parent groups are
  /// created. Collective for parallel files.
  template <typename T>
  static Dataset create(const File& file, const std::string& name, const std::vector<hsize_t>& shape);
  static Dataset open(const File& file, const std::string& name);

  const std::vector<hsize_t>& shape() const { return shape_; }
  hsize_t rows() const { return shape_.empty() ? 0 : shape_[0]; }
  /// Elements of one row.
  hsize_t row_size() const;
  /// Byte offset of a contiguous dataset in its file, or -1 (chunked, compressed, external or empty
  /// datasets).
  std::int64_t file_offset() const;
  /// Whether it may lie in many pieces, as compressed datasets do.
  bool is_chunked() const;
  /// Bytes in the file.
  std::int64_t stored_bytes() const;

  /// Writes rows [first, first + values.size()/row_size()) as one hyperslab. Independent.
  template <typename T>
  void write_rows(hsize_t first, std::span<const T> values) const;
  /// The same, collective over the file's communicator: every rank calls it, zero rows included. Throws if
  /// HDF5 reports that the transfer was not collective after all.
  template <typename T>
  void write_rows_all(hsize_t first, std::span<const T> values) const;
  template <typename T>
  void read_rows(hsize_t first, std::span<T> values) const;
  template <typename T>
  std::vector<T> read_all() const;

 private:
  Dataset(DatasetId id, const File& file, const std::string& name);
  /// Rows that hold `elements`; throws unless they are whole rows of this dataset from `first` on.
  hsize_t rows_of(std::size_t elements, hsize_t first) const;
  /// The rows [first, first + count) as a selection in the file.
  Space select_rows(hsize_t first, hsize_t count) const;
  void write(hid_t type, hsize_t first, hsize_t count, const void* values, hid_t transfer_properties) const;
  DatasetId id_;
  std::string name_, path_;  // of the dataset, of its file
  std::vector<hsize_t> shape_;
  bool parallel_ = false;
};

/// One-dimensional datasets of variable-length UTF-8 strings cannot be written in parallel, so names are
/// stored as fixed-length, null-padded UTF-8 strings (h5py reads them as bytes). `width` is the longest
/// length in bytes over all ranks, at least 1.
void create_strings(const File& file, const std::string& name, hsize_t count, std::size_t width);
/// Independent; `values` are rows [first, first + values.size()).
void write_strings(const File& file, const std::string& name, hsize_t first,
                   const std::vector<std::string>& values);
std::vector<std::string> read_strings(const File& file, const std::string& name);
std::vector<std::string> read_strings(const File& file, const std::string& name, hsize_t first,
                                      hsize_t count);

/// Attributes of the object `object` ("/" is the file's root group). Collective for parallel files, equal
/// values on every rank.
void write_attribute(const File& file, const std::string& object, const std::string& name,
                     const std::string& text);
void write_attribute(const File& file, const std::string& object, const std::string& name,
                     std::int64_t value);
void write_attribute(const File& file, const std::string& object, const std::string& name,
                     std::span<const double> values);
void write_attribute(const File& file, const std::string& object, const std::string& name,
                     const std::vector<std::string>& values);
bool has_attribute(const File& file, const std::string& object, const std::string& name);
std::string read_text_attribute(const File& file, const std::string& object, const std::string& name);
std::int64_t read_integer_attribute(const File& file, const std::string& object, const std::string& name);
std::vector<double> read_real_attribute(const File& file, const std::string& object, const std::string& name);
std::vector<std::string> read_strings_attribute(const File& file, const std::string& object,
                                                const std::string& name);

}  // namespace whorl::h5
