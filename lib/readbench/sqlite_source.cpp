// SPDX-License-Identifier: BSD-3-Clause
// Pictures in a relational database: one row each, found by the primary key.
#include <algorithm>

#include "base/error.hpp"
#include "dataset/stable_file.hpp"
#include "readbench/source.hpp"
#include "readbench/sqlite.hpp"

namespace whorl::readbench {

namespace {

class SqliteSource : public JpegSource {
 public:
  SqliteSource(const std::filesystem::path& path, int size)
      : JpegSource(size), file_(path), database_(path, Database::Mode::read), select_(prepare(database_)) {
    Database::Statement last(database_, "SELECT coalesce(max(sample), -1) FROM pictures");
    last.step();
    count_ = last.integer(0) + 1;
    require(count_ > 0, "{}: the table pictures is empty", file_.path());
  }
  std::int64_t count() const override { return count_; }
  std::vector<std::string> files() const override { return {file_.path()}; }
  std::span<const std::uint8_t> fetch(std::int64_t first, std::int64_t, Arena& out) override {
    select_.reset();
    select_.bind(1, first);
    require(select_.step(), "{}: the table pictures has no sample {}", file_.path(), first);
    const std::span<const std::uint8_t> blob = select_.blob(0);
    const auto bytes = out.append(blob.size());
    std::ranges::copy(blob, bytes.begin());
    return bytes;
  }
  void require_unchanged() const override { file_.require_unchanged(); }

 private:
  /// One read transaction, so that SQLite need not lock the file for every picture.
  static Database::Statement prepare(Database& database) {
    database.execute("BEGIN");
    return {database, "SELECT jpeg FROM pictures WHERE sample = ?"};
  }
  dataset::StableFile file_;
  Database database_;
  Database::Statement select_;
  std::int64_t count_ = 0;
};

}  // namespace

std::unique_ptr<Source> open_sqlite(const std::filesystem::path& path, int size) {
  return std::make_unique<SqliteSource>(path, size);
}

}  // namespace whorl::readbench
