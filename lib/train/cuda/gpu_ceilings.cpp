// SPDX-License-Identifier: BSD-3-Clause
#include "train/cuda/gpu_ceilings.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "gpu/check.hpp"
#include "train/cuda/matrix_products.hpp"

namespace whorl::train {

namespace {

constexpr int repeats = 5;
/// Sides of matrices are multiples of it, so that all tiles are whole.
constexpr int side_unit = 128;
/// Beside the matrices, for cuBLAS and its workspace.
constexpr std::size_t reserve_bytes = std::size_t{128} << 20;
/// About 1 as float16, 0.01 as the other types: sums stay finite.
constexpr int filling = 0x3c;

bool fit(std::size_t bytes) {
  std::size_t left = 0, total = 0;
  gpu::check(cudaMemGetInfo(&left, &total), "cudaMemGetInfo");
  return bytes + reserve_bytes <= left;
}

/// Median of what `queue_work` takes, after a first time that loads its kernel.
double seconds_of(const gpu::Stream& stream, const std::function<void()>& queue_work) {
  queue_work();
  std::vector<double> seconds;
  for (int i = 0; i < repeats; ++i) {
    gpu::Event start, end;
    start.record_time(stream);
    queue_work();
    end.record_time(stream);
    end.wait();
    seconds.push_back(end.seconds_since(start));
  }
  std::ranges::nth_element(seconds, seconds.begin() + repeats / 2);
  return seconds[repeats / 2];
}

}  // namespace

GpuCeilings measure_ceilings(nn::Precision precision, std::size_t bytes) {
  if (!fit(3 * bytes)) return {};
  gpu::Stream stream;
  MatrixProducts cublas(precision, stream);
  const auto elements = static_cast<double>(bytes / bytes_of(cublas.storage()));
  const int side = static_cast<int>(std::sqrt(elements)) / side_unit * side_unit;
  const gpu::DeviceMemory left(bytes, "a matrix"), right(bytes, "a matrix"), product(bytes, "a matrix");
  for (const gpu::DeviceMemory* matrix : {&left, &right})
    gpu::check(cudaMemsetAsync(matrix->data(), filling, bytes, stream.get()), "cudaMemsetAsync");
  const MatrixProduct task{CUBLAS_OP_N,  CUBLAS_OP_N, side, side,           side, left.data(), side, 0,
                           right.data(), side,        0,    product.data(), 0};
  const double of_product = seconds_of(stream, [&] { cublas.multiply(task, 1); });
  const double of_copy = seconds_of(stream, [&] {
    gpu::check(cudaMemcpyAsync(product.data(), left.data(), bytes, cudaMemcpyDeviceToDevice, stream.get()),
               "cudaMemcpyAsync");
  });
  return {.flops = 2.0 * side * side * side / of_product,
          .bytes = 2.0 * static_cast<double>(bytes) / of_copy};
}

}  // namespace whorl::train
