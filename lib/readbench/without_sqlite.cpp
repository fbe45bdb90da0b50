// SPDX-License-Identifier: BSD-3-Clause
// Stands in for sqlite.cpp, sqlite_source.cpp and sqlite_form.cpp where there is no SQLite.
#include "base/error.hpp"
#include "readbench/prepare.hpp"
#include "readbench/source.hpp"

namespace whorl::readbench {

std::unique_ptr<Source> open_sqlite(const std::filesystem::path& path, int) {
  throw Error(
      "cannot read {}: this whorl was built without SQLite; install libsqlite3-dev and build it again",
      path.string());
}

bool write_sqlite(const std::filesystem::path&, const PictureSet&) {
  return false;
}

}  // namespace whorl::readbench
