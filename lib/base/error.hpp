// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fmt/core.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace whorl {

/// What went wrong, in words a person can act on: what was done, to which file or value, the cause, the
/// remedy.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
  template <typename... Args>
  explicit Error(fmt::format_string<Args...> format, Args&&... args)
      : std::runtime_error(fmt::format(format, std::forward<Args>(args)...)) {}
};

/// An error that every rank of a communicator throws at the same point, so that one rank can report it for
/// all.
class CollectiveError : public Error {
 public:
  using Error::Error;
};

/// The command line or job file is wrong; programs exit with status 2 instead of 1. Thrown by every rank
/// alike.
class UsageError : public CollectiveError {
 public:
  using CollectiveError::CollectiveError;
};

/// Throws Error with the formatted message unless `condition` holds. Never compiled out.
template <typename... Args>
void require(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) throw Error(fmt::format(format, std::forward<Args>(args)...));
}

/// The text of the current `errno`-style code, for messages such as "cannot open F: No such file or
/// directory".
std::string system_error_text(int error_number);

/// The message of any exception in plain words, never empty; "out of memory" for std::bad_alloc.
std::string describe(const std::exception& error);

}  // namespace whorl
