// SPDX-License-Identifier: BSD-3-Clause
#include "readbench/sqlite.hpp"

#include <sqlite3.h>

#include "base/error.hpp"

namespace whorl::readbench {

void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close(database);
}
void Database::Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Database::Database(const std::filesystem::path& path, Mode mode) : path_(path.string()) {
  sqlite3* database = nullptr;
  const int flags = mode == Mode::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int status = sqlite3_open_v2(path_.c_str(), &database, flags, nullptr);
  database_.reset(database);
  check(status, "open it");
}

void Database::check(int status, const std::string& what) const {
  if (status == SQLITE_OK) return;
  throw Error("{}: SQLite cannot {}: {}", path_, what,
              database_ ? sqlite3_errmsg(database_.get()) : sqlite3_errstr(status));
}

void Database::execute(const std::string& sql) {
  check(sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr), "run \"" + sql + "\"");
}

Database::Statement::Statement(Database& database, const std::string& sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  const int status = sqlite3_prepare_v2(database.database_.get(), sql.c_str(), -1, &statement, nullptr);
  statement_.reset(statement);
  database.check(status, "prepare \"" + sql + "\"");
}

// The status of a reset is that of the last step, which has been reported.
void Database::Statement::reset() {
  sqlite3_reset(statement_.get());
}

void Database::Statement::bind(int parameter, std::int64_t value) {
  database_.check(sqlite3_bind_int64(statement_.get(), parameter, value), "bind a number");
}

void Database::Statement::bind(int parameter, std::span<const std::uint8_t> bytes) {
  database_.check(sqlite3_bind_blob64(statement_.get(), parameter, bytes.data(), bytes.size(), SQLITE_STATIC),
                  "bind a blob");
}

bool Database::Statement::step() {
  const int status = sqlite3_step(statement_.get());
  if (status == SQLITE_ROW) return true;
  database_.check(status == SQLITE_DONE ? SQLITE_OK : status, "go on");
  return false;
}

std::int64_t Database::Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::span<const std::uint8_t> Database::Statement::blob(int column) const {
  const void* const bytes = sqlite3_column_blob(statement_.get(), column);
  return {static_cast<const std::uint8_t*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

}  // namespace whorl::readbench
