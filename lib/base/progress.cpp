// SPDX-License-Identifier: BSD-3-Clause
#include "base/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

namespace whorl {

std::string format_duration(double seconds) {
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = std::llround(seconds);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  const auto minutes = std::llround(seconds / 60);
  return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

std::string format_bytes(double bytes) {
  constexpr std::array units{"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  while (bytes >= (unit == 0 ? 1000 : 999.95) && unit + 1 < units.size()) {
    bytes /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, units[unit]);
}

std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, '?');
  return text;
}

Progress::Progress(std::string what, std::string unit, std::int64_t total, bool active)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      active_(active),
      terminal_(active && ::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_(start_) {}

Progress::~Progress() {
  finish();
}

void Progress::update(std::int64_t done) {
  if (!active_) return;
  done_ = done;
  const auto interval = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
  // The last state is left to finish(), so that it is drawn once.
  if (done < total_ && Clock::now() - last_ >= interval) draw(done);
}

void Progress::draw(std::int64_t done) {
  last_ = Clock::now();
  const double elapsed = std::chrono::duration<double>(last_ - start_).count();
  const double rate = static_cast<double>(done) / std::max(elapsed, 1e-9);
  std::string line = fmt::format("{}: {} of {} {}", what_, done, total_, unit_);
  if (total_ > 0)
    line += fmt::format(" ({:.0f} %)", 100.0 * static_cast<double>(done) / static_cast<double>(total_));
  line += fmt::format(", {:.{}f} {}/s", rate, rate < 10 ? 1 : 0, unit_);
  if (done >= total_) {
    line += fmt::format(", took {}", format_duration(elapsed));
  } else if (done > 0) {
    line += fmt::format(", {} left", format_duration(static_cast<double>(total_ - done) / rate));
  }
  if (!note_.empty()) line += ", " + note_;
  // On a terminal: back to the first column, and clear what a longer line left behind.
  fmt::print(stderr, "{}{}{}", terminal_ ? "\r" : "", line, terminal_ ? "\x1b[K" : "\n");
  std::fflush(stderr);
}

void Progress::finish() {
  if (!active_) return;
  active_ = false;
  draw(done_);
  if (terminal_) fmt::print(stderr, "\n");
}

}  // namespace whorl
