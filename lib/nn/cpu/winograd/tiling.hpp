// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "nn/cpu/convolution_pass.hpp"
#include "nn/cpu/plane.hpp"
#include "nn/cpu/winograd/transforms.hpp"

namespace whorl::nn::cpu::winograd {

/// The m of F(m x m, 3 x 3) that there are.
constexpr int tile_sizes[] = {3, 4, 5, 6};

/// Those of a convolution's passes.
struct TileSizes {
  int forward = 0, backward = 0;
  bool operator==(const TileSizes&) const = default;
};

/// How the outputs of a shard are cut into tiles of m x m pixels, of (m + 2)^2 points each. Small images
/// share a *sheet*, with a line of zeros between them that serves as the padding of both sides, where tiles
/// then cover less that nobody needs: an image of 7 x 7 pixels takes 2 x 2 tiles of F(4 x 4), 144 points;
/// four of them make a sheet of 15 x 15 pixels and 3 x 3 tiles of F(5 x 5), 110 points for each.
struct Tiling {
  /// Of the first used_height x used_width outputs of every image; with as many images to a sheet as need
  /// the fewest points.
  Tiling(const ConvolutionShape& shape, int m, int used_height, int used_width);

  int m, block, images;
  int side;                              ///< images across a sheet, and down
  int row_pitch, column_pitch;           ///< pixels from one image of a sheet to the next
  int sheets, down, across;              ///< `across` x `down` tiles in each sheet
  std::size_t padded_row, padded_plane;  ///< pixels of a sheet of inputs with its padding, up to whole tiles
  std::size_t output_row, output_plane;  ///< pixels of a sheet of outputs, up to whole tiles

  int points() const { return (m + 2) * (m + 2); }
  int tiles_per_sheet() const { return down * across; }
  /// Of all sheets: multiplications per pair of channels.
  std::int64_t products() const { return std::int64_t(sheets) * tiles_per_sheet() * points(); }

  /// Tiles that are worked on together: some rows of tiles of one sheet, or some whole sheets.
  struct Run {
    int first_sheet, sheets, first_row, last_row;
    int tiles;

    int tiles_per_sheet() const { return tiles / sheets; }
  };
  /// work(run) for runs of about equal size, of about so many tiles.
  template <typename Work>
  void for_each_run(int wished_tiles, const Work& work) const;
  int largest_run(int wished_tiles) const;

  bool is_whole(int sheet) const { return (sheet + 1) * side * side <= images; }
  /// work(image, plane) for the place of every image in a sheet whose plane begins at `first`.
  template <typename Work>
  void for_each_input(int sheet, float* first, const Work& work) const {
    for_each_image(sheet, first + (padded_row + 1) * block, padded_row, work);
  }
  template <typename Work>
  void for_each_output(int sheet, float* first, const Work& work) const {
    for_each_image(sheet, first, output_row, work);
  }

  TileRows input_rows(const Run& run) const { return rows(run, padded_row); }
  TileRows output_rows(const Run& run) const { return rows(run, output_row); }

 private:
  template <typename Work>
  void for_each_image(int sheet, float* first, std::size_t row, const Work& work) const {
    const int begin = sheet * side * side, end = std::min(images, begin + side * side);
    for (int image = begin; image < end; ++image) {
      const std::size_t y = (image - begin) / side * row_pitch, x = (image - begin) % side * column_pitch;
      work(image, Plane{first + (y * row + x) * block, static_cast<int>(row)});
    }
  }
  TileRows rows(const Run& run, std::size_t row_pixels) const {
    return {.m = m,
            .block = block,
            .tiles_across = across,
            .first = run.first_row,
            .last = run.last_row,
            .row_pixels = row_pixels};
  }
};

inline int divide_up(int value, int unit) {
  return (value + unit - 1) / unit;
}

template <typename Work>
void Tiling::for_each_run(int wished_tiles, const Work& work) const {
  const int row_runs = std::min(divide_up(tiles_per_sheet(), wished_tiles), down),
            rows_each = divide_up(down, row_runs);
  const int sheet_runs = divide_up(sheets, std::max(1, wished_tiles / tiles_per_sheet())),
            sheets_each = divide_up(sheets, sheet_runs);
  for (int sheet = 0; sheet < sheets; sheet += sheets_each)
    for (int row = 0; row < down; row += rows_each) {
      Run run{sheet, std::min(sheets_each, sheets - sheet), row, std::min(row + rows_each, down), 0};
      run.tiles = run.sheets * (run.last_row - run.first_row) * across;
      work(run);
    }
}

}  // namespace whorl::nn::cpu::winograd
