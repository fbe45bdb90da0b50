// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/prepare.hpp"
#include "readbench/sqlite.hpp"

namespace whorl::readbench {

bool write_sqlite(const std::filesystem::path& path, const PictureSet& pictures) {
  Database database(path, Database::Mode::create);
  database.execute(
      "CREATE TABLE pictures (sample INTEGER PRIMARY KEY, label INTEGER NOT NULL, jpeg BLOB NOT NULL)");
  database.execute("BEGIN");
  {
    Database::Statement insert(database, "INSERT INTO pictures VALUES (?, ?, ?)");
    for (std::int64_t sample = 0; sample < pictures.count(); ++sample) {
      const std::vector<std::uint8_t> jpeg = pictures.jpeg(sample);
      insert.reset();
      insert.bind(1, sample);
      insert.bind(2, pictures.label(sample));
      insert.bind(3, jpeg);
      insert.step();
    }
  }
  database.execute("COMMIT");
  return true;
}

}  // namespace whorl::readbench
