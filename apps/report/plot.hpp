// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "document.hpp"

namespace whorl::report_app {

/// One curve. With `low` and `high`, points with error bars; else a line, or points where `points` is set.
struct Curve {
  std::string title;
  std::vector<double> x, y, low, high;
  bool points = false, dashed = false;
};
struct LinePlot {
  std::string x_label, y_label;
  std::vector<Curve> curves;
  std::vector<double> x_ticks;  ///< empty: chosen by gnuplot, from 0 on
};

/// Bars made of parts lying on each other.
struct StackedBars {
  std::string y_label;
  std::vector<std::string> bars;             ///< labels below
  std::vector<std::string> parts;            ///< titles
  std::vector<std::vector<double>> heights;  ///< (parts, bars)
};

/// Draws figures with gnuplot as SVG to be put into a page.
class Plotter {
 public:
  /// Whether gnuplot is there; without it, draw() returns nothing.
  Plotter();
  bool is_available() const { return available_; }
  std::optional<Picture> draw(const LinePlot& plot);
  std::optional<Picture> draw(const StackedBars& plot);
  /// A whole script that says neither what to draw on nor where to, and has a key of its own.
  std::optional<Picture> draw(const std::string& script);

 private:
  bool available_;
  int figures_ = 0;
};

}  // namespace whorl::report_app
