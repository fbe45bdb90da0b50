// SPDX-License-Identifier: BSD-3-Clause
#include "ingest/output_files.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "base/progress.hpp"
#include "ingest/input_file.hpp"
#include "ingest/scan.hpp"

namespace whorl::ingest {

namespace fs = std::filesystem;

OutputFiles::OutputFiles(const mpi::Communicator& comm, fs::path result, std::size_t inputs, bool overwrite)
    : comm_(comm), result_(std::move(result)), inputs_(inputs), overwrite_(overwrite) {
  mpi::on_root(comm_, [&] { check(); });
}

void OutputFiles::check() const {
  const std::string name = result_.string();
  require(fs::exists(folder()), "cannot write {}: the folder {} does not exist", name, folder().string());
  require(!fs::is_directory(result_), "cannot write {}: it is a folder", name);
  require(overwrite_ || !fs::exists(result_),
          "{} exists already; choose another name, or replace it with --overwrite", name);
  const Descriptor probe(::open(partial().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  require(bool(probe), "cannot write {}: {}", name, system_error_text(errno));
}

OutputFiles::~OutputFiles() {
  std::error_code ignored;  // files that are not there, or a folder that is gone
  fs::remove(partial(), ignored);
  fs::remove(compacted(), ignored);
  for (int rank = 0; rank < comm_.size(); ++rank) fs::remove(spool(rank), ignored);
  for (std::size_t input = 0; input < inputs_; ++input) fs::remove(unpacked_tar(scratch(), input), ignored);
  fs::remove(recoded_pixels(scratch()), ignored);
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
    const auto free = static_cast<std::int64_t>(fs::space(folder()).available);
    require(bytes <= free,
            "{} needs {}, but only {} are free in {}; use a disk with more space, a smaller --size, or "
            "--store jpeg",
            result_.string(), format_bytes(static_cast<double>(bytes)),
            format_bytes(static_cast<double>(free)), folder().string());
  });
}

void OutputFiles::publish(const fs::path& finished) const {
  mpi::on_root(comm_, [&] { publish_file(finished, result_); });
}

}  // namespace whorl::ingest
