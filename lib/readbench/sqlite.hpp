// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace whorl::readbench {

/// A SQLite database in one file. Errors name it and SQLite's reason.
class Database {
 public:
  enum class Mode { read, create };
  Database(const std::filesystem::path& path, Mode mode);

  void execute(const std::string& sql);
  const std::string& path() const { return path_; }

  /// A prepared statement.
  class Statement {
   public:
    Statement(Database& database, const std::string& sql);
    /// Starts anew, with parameters counted from 1.
    void reset();
    void bind(int parameter, std::int64_t value);
    /// `bytes` outlive the step.
    void bind(int parameter, std::span<const std::uint8_t> bytes);
    /// False after the last row.
    bool step();
    std::int64_t integer(int column) const;
    /// Holds until the next step or reset.
    std::span<const std::uint8_t> blob(int column) const;

   private:
    struct Finalize {
      void operator()(sqlite3_stmt* statement) const;
    };
    Database& database_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  };

 private:
  void check(int status, const std::string& what) const;
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace whorl::readbench
