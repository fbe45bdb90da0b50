// SPDX-License-Identifier: BSD-3-Clause
/// Winograd convolutions and their parts against plain loops in double precision, on every instruction set
/// that this machine has.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/keyed_random.hpp"
#include "machines.hpp"
#include "nn/cpu/blocked_tensor.hpp"
#include "nn/cpu/winograd/convolution.hpp"
#include "nn/cpu/winograd/gemm.hpp"

namespace whorl::nn::cpu::winograd {
namespace {

std::vector<float> random(std::size_t count, std::uint64_t stream) {
  KeyedRandom numbers(1, RandomPurpose::test, 3, stream);
  std::vector<float> values(count);
  for (float& value : values) value = numbers.uniform(-1, 1);
  return values;
}

double relative_distance(const std::vector<float>& got, const std::vector<double>& expected) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(got[i] - expected[i], 2);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(difference / norm);
}

class Winograd : public ::testing::TestWithParam<Machine> {
 protected:
  void SetUp() override { use_instruction_set(std::get<0>(GetParam())); }
  void TearDown() override { use_instruction_set(""); }
  int block() const { return std::get<1>(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(All, Winograd, ::testing::ValuesIn(machines()), name_of);

TEST_P(Winograd, ProductsOfMatricesOfAnySize) {
  PrefetchQueue prefetch;
  for (const auto& [rows, blocks, depth] :
       {std::tuple{1, 1, 1}, {5, 1, 3}, {6, 4, 64}, {13, 5, 65}, {31, 7, 130}, {23, 3, 24}, {7, 10, 7}}) {
    const int columns = blocks * block();
    const std::size_t stride = depth + 3, c_stride = columns + 5;
    const auto a = random(rows * stride, 1), b = random(depth * columns, 2),
               before = random(rows * c_stride, 3);
    std::vector<float> panels(b.size()), a_transposed(depth * (rows + 2));
    for (int j = 0; j < columns; ++j) {
      const int first = j / panel_columns() * panel_columns(),
                width = std::min(panel_columns(), columns - first);
      for (int k = 0; k < depth; ++k) panels[first * depth + k * width + j - first] = b[k * columns + j];
    }
    for (int i = 0; i < rows; ++i)
      for (int k = 0; k < depth; ++k) a_transposed[k * (rows + 2) + i] = a[i * stride + k];
    for (const bool add : {false, true}) {
      std::vector<float> by_panels = before, transposed = before;
      prefetch.add(a.data(), 500);
      multiply_by_panels({rows, columns, depth}, {a.data(), stride}, panels.data(), by_panels.data(),
                         c_stride, add, prefetch);
      multiply_transposed({rows, columns, depth}, {a_transposed.data(), std::size_t(rows + 2)},
                          {b.data(), std::size_t(columns)}, transposed.data(), c_stride, add, prefetch);
      EXPECT_EQ(by_panels, transposed);
      for (int i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < c_stride; ++j) {
          double expected = add || j >= std::size_t(columns) ? before[i * c_stride + j] : 0;
          for (int k = 0; k < depth && j < std::size_t(columns); ++k)
            expected += static_cast<double>(a[i * stride + k]) * b[k * columns + j];
          ASSERT_NEAR(by_panels[i * c_stride + j], expected, 1e-5)
              << rows << "x" << columns << "x" << depth << " at " << i << ", " << j;
        }
    }
  }
}

/// A convolution's tensors, plain: images (n, c, y, x), weights (k, c, 3, 3).
struct Tensors {
  ConvolutionShape shape;
  int rows, columns;  ///< of the output that are used
  std::vector<float> x, w, dy;
  std::vector<double> y, dx, dw;

  std::size_t in(int n, int c, int i, int j) const {
    return ((std::size_t(n) * shape.inputs + c) * shape.input_height + i) * shape.input_width + j;
  }
  std::size_t out(int n, int k, int i, int j) const {
    return ((std::size_t(n) * shape.filters + k) * rows + i) * columns + j;
  }

  Tensors(const ConvolutionShape& given, int used_rows, int used_columns)
      : shape(given), rows(used_rows), columns(used_columns) {
    const std::size_t outputs = out(shape.images, 0, 0, 0);
    x = random(in(shape.images, 0, 0, 0), 4), w = random(std::size_t(shape.filters) * shape.inputs * 9, 5),
    dy = random(outputs, 6);
    y.assign(outputs, 0), dx.assign(x.size(), 0), dw.assign(w.size(), 0);
    for (int n = 0; n < shape.images; ++n)
      for (int k = 0; k < shape.filters; ++k)
        for (int c = 0; c < shape.inputs; ++c)
          for (int i = 0; i < rows; ++i)
            for (int j = 0; j < columns; ++j) add_window(n, k, c, i, j);
  }
  void add_window(int n, int k, int c, int i, int j) {
    for (int tap = 0; tap < 9; ++tap) {
      const int row = i + tap / 3 - 1, column = j + tap % 3 - 1;
      if (row < 0 || column < 0 || row >= shape.input_height || column >= shape.input_width) continue;
      const std::size_t from = in(n, c, row, column), to = out(n, k, i, j),
                        weight = (std::size_t(k) * shape.inputs + c) * 9 + tap;
      y[to] += static_cast<double>(x[from]) * w[weight];
      dx[from] += static_cast<double>(dy[to]) * w[weight];
      dw[weight] += static_cast<double>(dy[to]) * x[from];
    }
  }
};

struct Results {
  std::vector<float> y, dx, dw;
  bool operator==(const Results&) const = default;
};

/// Channels of a block that lie beyond the last one are given as zeros, and must come back so.
Results compute(const Tensors& t, int m) {
  const ConvolutionShape& s = t.shape;
  Convolution convolution(s, {m, m}, t.rows, t.columns);
  const HugeBuffer scratch(convolution.scratch_bytes());
  std::fill_n(scratch.floats(), convolution.scratch_bytes() / sizeof(float), NAN);
  convolution.set_weights(t.w.data());
  Results got{std::vector<float>(t.y.size(), NAN), std::vector<float>(t.x.size(), NAN),
              std::vector<float>(t.w.size(), 0.25F)};
  const auto give = [&](const std::vector<float>& from, int channels, int rows, int columns, auto index) {
    return [=, &from](int n, int b, const Plane& to) {
      for (int i = 0; i < rows; ++i)
        for (int j = 0; j < columns; ++j)
          for (int lane = 0, c = b * s.block; lane < s.block; ++lane, ++c)
            to.data[(i * to.row_pixels + j) * s.block + lane] = c < channels ? from[index(n, c, i, j)] : 0;
    };
  };
  const auto take = [&](std::vector<float>& to, int channels, int rows, int columns, auto index) {
    return [=, &to](int n, int b, const ConstPlane& from) {
      for (int i = 0; i < rows; ++i)
        for (int j = 0; j < columns; ++j)
          for (int lane = 0, c = b * s.block; lane < s.block; ++lane, ++c) {
            const float value = from.data[(i * from.row_pixels + j) * s.block + lane];
            if (c < channels)
              to[index(n, c, i, j)] = value;
            else
              EXPECT_EQ(value, 0);
          }
    };
  };
  const auto in = [&t](int n, int c, int i, int j) { return t.in(n, c, i, j); };
  const auto out = [&t](int n, int k, int i, int j) { return t.out(n, k, i, j); };
  const ReadPlane read_x = give(t.x, s.inputs, s.input_height, s.input_width, in);
  convolution.forward(read_x, take(got.y, s.filters, t.rows, t.columns, out), scratch.data());
  std::fill_n(scratch.floats(), convolution.scratch_bytes() / sizeof(float), NAN);
  convolution.backward(read_x, give(t.dy, s.filters, t.rows, t.columns, out),
                       take(got.dx, s.inputs, s.input_height, s.input_width, in), got.dw.data(),
                       scratch.data());
  return got;
}

ConvolutionShape shape_of(int images, int inputs, int filters, int height, int width, int block) {
  return {.images = images,
          .inputs = inputs,
          .input_height = height,
          .input_width = width,
          .filters = filters,
          .output_height = height,
          .output_width = width,
          .kernel_height = 3,
          .kernel_width = 3,
          .stride = 1,
          .padding = 1,
          .block = block};
}

// Four images of 7 x 7 and the lines between them are 15 x 15 pixels: nine tiles of 5 x 5, which have 49
// points.
TEST(WinogradTiling, SmallImagesShareSheets) {
  const Tiling tiling(shape_of(100, 256, 256, 7, 7, 16), 5, 7, 7);
  EXPECT_EQ(tiling.side, 2);
  EXPECT_EQ(tiling.products(), 25 * 9 * 49);
  EXPECT_EQ(Tiling(shape_of(100, 256, 256, 7, 7, 16), 4, 7, 7).side, 1);
  EXPECT_EQ(Tiling(shape_of(1, 256, 256, 7, 7, 16), 5, 7, 7).side, 1);
}

TEST(WinogradTiling, ImagesInASheetTouchNeitherEachOtherNorTheBorder) {
  const Tiling tiling(shape_of(7, 3, 3, 7, 7, 8), 5, 7, 7);
  ASSERT_EQ(tiling.side, 2);
  std::vector<float> sheet(tiling.padded_plane * tiling.block);
  std::vector<int> images;
  for (int number = 0; number < tiling.sheets; ++number) {
    EXPECT_EQ(tiling.is_whole(number), number == 0);
    std::vector<int> owner(tiling.padded_plane, -1);
    tiling.for_each_input(number, sheet.data(), [&](int image, const Plane& plane) {
      images.push_back(image);
      const std::size_t first = (plane.data - sheet.data()) / tiling.block;
      for (int y = -1; y <= 7; ++y)
        for (int x = -1; x <= 7; ++x) {
          int& pixel = owner.at(first + y * plane.row_pixels + x);
          const bool padding = y < 0 || x < 0 || y == 7 || x == 7;
          EXPECT_TRUE(pixel == -1 || (padding && pixel == -2)) << image << " " << y << " " << x;
          pixel = padding ? -2 : image;
        }
    });
  }
  EXPECT_EQ(images, (std::vector{0, 1, 2, 3, 4, 5, 6}));
}

TEST_P(Winograd, ConvolutionsOfOddShapes) {
  struct Case {
    int images, inputs, filters, height, width, rows, columns;
  };
  for (const Case& c :
       {Case{1, 3, 5, 1, 1, 1, 1}, Case{1, 24, 17, 7, 7, 6, 6}, Case{3, 3, 70, 5, 9, 5, 9},
        Case{2, 24, 64, 31, 31, 30, 30}, Case{37, 18, 33, 3, 4, 3, 4}, Case{1, 40, 80, 15, 13, 15, 13},
        Case{2, 16, 8, 21, 6, 3, 3}, Case{11, 20, 16, 7, 7, 7, 7}, Case{7, 5, 16, 4, 7, 3, 6}})
    for (const int m : tile_sizes) {
      const Tensors tensors(shape_of(c.images, c.inputs, c.filters, c.height, c.width, block()), c.rows,
                            c.columns);
      const Results got = compute(tensors, m);
      std::vector<float> dw = got.dw;
      for (float& value : dw) value -= 0.25F;  // gradients are added to what is there
      const std::string where =
          testing::PrintToString(std::tuple(c.images, c.inputs, c.filters, c.height, c.width, m));
      const double tolerance = m <= 4 ? 2e-6 : m == 5 ? 3e-6 : 4e-6;
      EXPECT_LE(relative_distance(got.y, tensors.y), tolerance) << where;
      EXPECT_LE(relative_distance(got.dx, tensors.dx), tolerance) << where;
      EXPECT_LE(relative_distance(dw, tensors.dw), tolerance) << where;
      EXPECT_EQ(compute(tensors, m), got) << where;
    }
}

}  // namespace
}  // namespace whorl::nn::cpu::winograd
