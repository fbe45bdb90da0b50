// SPDX-License-Identifier: BSD-3-Clause
#include "summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/error.hpp"
#include "base/progress.hpp"

namespace whorl::inspect {
namespace {

using dataset::Split;

std::vector<std::int64_t> count_classes(const dataset::Reader& reader, Split split) {
  std::vector<std::int64_t> counts(reader.info().class_names.size());
  for (const std::int32_t label : reader.labels(split)) ++counts.at(static_cast<std::size_t>(label));
  return counts;
}

template <typename Texts>
std::size_t widest(const Texts& texts, std::size_t least) {
  for (const std::string& text : texts) least = std::max(least, text.size());
  return least;
}

std::array<double, 3> mean_colour(const std::vector<std::uint8_t>& pixels) {
  std::array<std::int64_t, 3> sums{};
  for (std::size_t i = 0; i < pixels.size(); ++i) sums[i % 3] += pixels[i];
  const double count = double(pixels.size()) / 3;
  return {double(sums[0]) / count, double(sums[1]) / count, double(sums[2]) / count};
}

}  // namespace

void print_class_counts(const dataset::Reader& reader) {
  const auto& names = reader.info().class_names;
  const std::size_t width = widest(names, 5);
  const auto train = count_classes(reader, Split::train), test = count_classes(reader, Split::test);
  fmt::print("\n{:<{}} {:>9} {:>9}\n", "pictures of a class", width + 2, "train", "test");
  for (std::size_t i = 0; i < names.size(); ++i)
    fmt::print("  {:<{}} {:>9} {:>9}\n", printable(names[i]), std::max<std::size_t>(width, 17), train[i],
               test[i]);
  fmt::print("  {:<{}} {:>9} {:>9}\n", "all", std::max<std::size_t>(width, 17), reader.info().train_count,
             reader.info().test_count);
}

void print_channel_statistics(const dataset::Info& info) {
  fmt::print("\n{:<19} {:>9} {:>9} {:>9}\n", "channels (0 to 1)", "red", "green", "blue");
  const auto print = [](const char* name, const std::array<double, 3>& values) {
    fmt::print("  {:<17} {:>9.4f} {:>9.4f} {:>9.4f}\n", name, values[0], values[1], values[2]);
  };
  print("mean", info.channel_mean);
  print("deviation", info.channel_std);
}

void print_rows(const dataset::Reader& reader, Split split, int rows) {
  const auto& info = reader.info();
  const std::int64_t count = std::min<std::int64_t>(rows, info.count(split));
  if (count == 0) return;
  const auto names = reader.names(split, 0, count);
  const std::size_t name_width = widest(names, 4), class_width = widest(info.class_names, 5);
  fmt::print("\nfirst rows of {}\n  {:>3}  {:<{}}  {:>5}  {:<{}}  mean colour\n", dataset::to_string(split),
             "row", "name", name_width, "label", "class", class_width);
  std::vector<std::uint8_t> pixels(info.image_bytes());
  for (std::int64_t row = 0; row < count; ++row) {
    reader.read_images(split, {&row, 1}, pixels.data());
    const auto colour = mean_colour(pixels);
    const std::int32_t label = reader.labels(split)[row];
    fmt::print("  {:>3}  {:<{}}  {:>5}  {:<{}}  {:5.1f} {:5.1f} {:5.1f}\n", row, printable(names[row]),
               name_width, label, printable(info.class_names.at(label)), class_width, colour[0], colour[1],
               colour[2]);
  }
}

void print_rejects(const dataset::Reader& reader, bool all) {
  constexpr std::size_t first = 20;
  const auto rejects = reader.rejects();
  fmt::print("\nrejected pictures: {}\n", rejects.size());
  const std::size_t shown = all ? rejects.size() : std::min(first, rejects.size());
  for (std::size_t i = 0; i < shown; ++i)
    fmt::print("  {}\n", printable(rejects[i].name + ": " + rejects[i].reason));
  if (shown < rejects.size()) fmt::print("  ... {} more; --all-rejects lists them\n", rejects.size() - shown);
}

}  // namespace whorl::inspect
