// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace whorl {

/// "12.3 s", "4 min 05 s", "2 h 13 min".
std::string format_duration(double seconds);
/// "512 B", "1.2 MB" (powers of 1000).
std::string format_bytes(double bytes);

/// With '?' for control characters: the name of a file may hold anything, such as commands for a terminal.
std::string printable(std::string text);

/// Progress of a long loop on stderr: a line redrawn in place on a terminal (at most 10 times a second),
/// plain lines in a batch log (every 10 s). Only the rank that reports constructs an active one; inactive
/// ones do nothing.
class Progress {
 public:
  Progress(std::string what, std::string unit, std::int64_t total, bool active);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of `total` units.
  void update(std::int64_t done);
  /// To be appended to the line from now on (such as "3 rejected").
  void note(std::string text) { note_ = std::move(text); }
  /// Draws the last state and ends the line. Also called by the destructor.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  void draw(std::int64_t done);

  std::string what_, unit_, note_;
  std::int64_t total_, done_ = 0;
  bool active_, terminal_ = false;
  Clock::time_point start_, last_;
};

}  // namespace whorl
