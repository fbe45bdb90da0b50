// SPDX-License-Identifier: BSD-3-Clause
// bench-cuda-kernels: our CUDA kernels on the maps of air94 with 2,000 pictures in float16, each by events
// around it. Bytes per second are those that the kernel must move at least (its file tells how they are
// counted), to be held against "copy", the same of a copy within the GPU's memory. Exit status 77: there is
// no GPU.
#include <benchmark/benchmark.h>
#include <cuda_runtime_api.h>
#include <fmt/core.h>

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.hpp"
#include "base/unique_handle.hpp"
#include "nn/cuda/kernels/digest.hpp"
#include "nn/cuda/kernels/draws.hpp"
#include "nn/cuda/kernels/loss.hpp"
#include "nn/cuda/kernels/norm.hpp"
#include "nn/cuda/kernels/pictures.hpp"
#include "nn/cuda/kernels/pool.hpp"
#include "nn/cuda/kernels/weights.hpp"

namespace whorl::nn::cuda {
namespace {

void check(cudaError_t code) {
  require(code == cudaSuccess, "CUDA: {}", cudaGetErrorString(code));
}

struct MemoryTraits {
  static void* invalid() { return nullptr; }
  static void release(void* memory) noexcept { (void)cudaFree(memory); }
};

/// GPU memory, every 16-bit float in it about 1.
class Memory {
 public:
  explicit Memory(std::int64_t bytes) {
    void* memory = nullptr;
    check(cudaMalloc(&memory, static_cast<std::size_t>(bytes)));
    memory_.reset(memory);
    check(cudaMemset(memory, 0x3c, static_cast<std::size_t>(bytes)));
  }
  template <typename T = void>
  T* as() const {
    return static_cast<T*>(memory_.get());
  }

 private:
  UniqueHandle<void*, MemoryTraits> memory_;
};

/// A kernel that moves at least `bytes` is launched by `launch` again and again, each time between two
/// events.
void measure(benchmark::State& state, std::int64_t bytes, const std::function<void(Stream)>& launch) {
  cudaStream_t stream = nullptr;
  cudaEvent_t start = nullptr, end = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  check(cudaEventCreate(&start));
  check(cudaEventCreate(&end));
  check(cudaDeviceSynchronize());
  for (auto _ : state) {
    float milliseconds = 0;
    check(cudaEventRecord(start, stream));
    launch(stream);
    check(cudaEventRecord(end, stream));
    check(cudaEventSynchronize(end));
    check(cudaEventElapsedTime(&milliseconds, start, end));
    state.SetIterationTime(double{milliseconds} / 1000);
  }
  state.SetBytesProcessed(state.iterations() * bytes);
  check(cudaEventDestroy(end));
  check(cudaEventDestroy(start));
  check(cudaStreamDestroy(stream));
}

constexpr Storage storage = Storage::float16;
constexpr int samples = 2000;
constexpr Extent whitened{samples, 31, 31, 24}, wide{samples, 31, 31, 64}, pooled{samples, 15, 15, 64};
constexpr Pooling pooling{wide, 2, 2, 0};
constexpr std::int64_t weights = std::int64_t{1} << 21;  // air94 has 1.97 million

void copy(benchmark::State& state) {
  const std::int64_t bytes = 2 * wide.count();
  const Memory from(bytes), to(bytes);
  measure(state, 2 * bytes, [&](Stream stream) {
    check(cudaMemcpyAsync(to.as(), from.as(), static_cast<std::size_t>(bytes), cudaMemcpyDeviceToDevice,
                          stream));
  });
}

void pictures(benchmark::State& state) {
  constexpr std::int64_t pixels = std::int64_t{samples} * 32 * 32;
  const Memory in(3 * pixels), out(16 * pixels);
  measure(state, 19 * pixels, [&](Stream stream) {
    gather_pictures(storage, {.pixels = in.as<std::uint8_t>(), .size = 32}, {.samples = samples}, out.as(),
                    stream);
  });
}

void bias_and_gelu(benchmark::State& state) {
  const Memory x(2 * whitened.count()), shift(4 * whitened.channels);
  measure(state, 4 * whitened.count(), [&](Stream stream) {
    norm_apply(storage,
               {.extent = whitened,
                .x = x.as(),
                .affine = {.shift = shift.as<float>()},
                .curve = Curve::gelu,
                .y = x.as()},
               stream);
  });
}

/// What batch-norm needs beside its maps.
struct Channels {
  Memory partials{static_cast<std::int64_t>(partials_floats(64) * 4)}, mean{256}, inverse{256}, factor{256},
      shift{256}, slope{256}, offset{256};
  Partials sums{partials.as<float>(), sum_blocks(pooled)};
  Affine affine{mean.as<float>(), factor.as<float>(), shift.as<float>()};
};

void max_pool_and_sums(benchmark::State& state) {
  const Channels channels;
  const Memory x(2 * wide.count()), y(2 * pooled.count()), argmax(pooled.count());
  measure(state, 2 * wide.count() + 3 * pooled.count(), [&](Stream stream) {
    max_pool_forward(storage, pooling, x.as(), y.as(), argmax.as<std::uint8_t>(), channels.sums, stream);
  });
}

void sums(benchmark::State& state) {
  const Channels channels;
  const Memory x(2 * pooled.count());
  measure(state, 2 * pooled.count(),
          [&](Stream stream) { norm_sums(storage, pooled, x.as(), channels.sums, stream); });
}

void finish(benchmark::State& state) {
  const Channels channels;
  measure(state, std::int64_t{channels.sums.blocks} * 2 * 64 * 4, [&](Stream stream) {
    norm_finish({.sums = channels.sums,
                 .channels = 64,
                 .positions = pooled.positions(),
                 .epsilon = 1e-5F,
                 .mean = channels.mean.as<float>(),
                 .inverse = channels.inverse.as<float>(),
                 .factor = channels.factor.as<float>()},
                stream);
  });
}

void apply_gelu(benchmark::State& state) {
  const Channels channels;
  const Memory x(2 * pooled.count()), y(2 * pooled.count());
  measure(state, 4 * pooled.count(), [&](Stream stream) {
    norm_apply(storage,
               {.extent = pooled, .x = x.as(), .affine = channels.affine, .curve = Curve::gelu, .y = y.as()},
               stream);
  });
}

void backward_sums_gelu(benchmark::State& state) {
  const Channels channels;
  const Memory x(2 * pooled.count()), dy(2 * pooled.count());
  measure(state, 4 * pooled.count(), [&](Stream stream) {
    norm_backward_sums(storage,
                       {.extent = pooled,
                        .dy = dy.as(),
                        .x = x.as(),
                        .affine = channels.affine,
                        .curve = Curve::gelu,
                        .sums = channels.sums},
                       stream);
  });
}

void backward_apply_gelu(benchmark::State& state, bool is_unpooled) {
  const Channels channels;
  const Memory x(2 * pooled.count()), dy(2 * pooled.count()), argmax(pooled.count());
  const std::int64_t dx_bytes = 2 * (is_unpooled ? wide : pooled).count();
  const Memory dx(dx_bytes);
  NormBackwardApply task{.extent = pooled,
                         .dy = dy.as(),
                         .x = x.as(),
                         .affine = channels.affine,
                         .curve = Curve::gelu,
                         .slope = channels.slope.as<float>(),
                         .offset = channels.offset.as<float>(),
                         .dx = dx.as()};
  if (is_unpooled) task.unpool = {argmax.as<std::uint8_t>(), wide.height, wide.width, 2};
  measure(state, (is_unpooled ? 5 : 4) * pooled.count() + dx_bytes,
          [&](Stream stream) { norm_backward_apply(storage, task, stream); });
}

void overlapping_max_pool_backward(benchmark::State& state) {
  constexpr Pooling stem{{256, 48, 48, 64}, 3, 2, 1};  // of resnet18 at 96 px
  constexpr std::int64_t in = stem.input.count(), out = stem.output().count();
  const Memory dy(2 * out), argmax(out), dx(2 * in);
  measure(state, 3 * out + 2 * in, [&](Stream stream) {
    max_pool_backward(storage, stem, dy.as(), argmax.as<std::uint8_t>(), dx.as(), false, stream);
  });
}

void loss(benchmark::State& state) {
  const Memory logits(2 * 16 * samples), gradient(2 * 16 * samples), labels(4 * samples), losses(4 * samples),
      correct(4 * samples);
  check(cudaMemset(labels.as(), 0, 4 * samples));
  measure(state, 2 * 2 * 16 * samples, [&](Stream stream) {
    cross_entropy(storage,
                  {10, 16, 0.2F, logits.as(), labels.as<std::int32_t>(), gradient.as(), losses.as<float>(),
                   correct.as<std::int32_t>()},
                  {.samples = samples}, stream);
  });
}

void sgd(benchmark::State& state) {
  const Memory parameters(4 * weights), gradients(4 * weights), buffer(4 * weights), groups(weights / 16),
      rules(sizeof(UpdateRule)), step(8);
  check(cudaMemset(groups.as(), 0, weights / 16));
  check(cudaMemset(step.as(), 0, 8));
  measure(state, 20 * weights, [&](Stream stream) {
    update_arena({weights,
                  parameters.as<float>(),
                  gradients.as<float>(),
                  buffer.as<float>(),
                  groups.as<std::uint8_t>(),
                  {rules.as<UpdateRule>(), 1, step.as<std::int64_t>()}},
                 stream);
  });
}

void gradient_sums(benchmark::State& state) {
  const Memory gradients(4 * weights), sums(4 * weights);
  measure(state, 12 * weights, [&](Stream stream) {
    sum_gradients(weights, gradients.as<float>(), true, sums.as<float>(), stream);
  });
}

void digest(benchmark::State& state) {
  const Memory arena(4 * weights), partials(std::int64_t{digest_blocks} * sizeof(DigestPart));
  measure(state, 4 * weights, [&](Stream stream) {
    digest_arena(weights, arena.as<float>(), partials.as<DigestPart>(), stream);
  });
}

/// Of the three square matrices of 256 filters.
void polynomial(benchmark::State& state) {
  constexpr std::int64_t elements = std::int64_t{3} * 256 * 256;
  const Memory gram(2 * elements), square(2 * elements), out(2 * elements);
  measure(state, 6 * elements, [&](Stream stream) {
    muon_polynomial(
        storage, {.side = 256, .count = 3, .gram = gram.as(), .square = square.as(), .polynomial = out.as()},
        stream);
  });
}

/// Of an epoch.
void draws(benchmark::State& state) {
  constexpr int pictures = 50000;
  const Memory views(std::int64_t{pictures} * sizeof(PictureView));
  const EpochDraws draws{.pictures = pictures,
                         .order_keys = {1, 2, 3, 4, 5, 6},
                         .half_bits = 8,
                         .augmentation = {1, 2},
                         .first_epoch = {3, 4},
                         .flip = Flip::alternating,
                         .crop_padding = 2};
  measure(state, std::int64_t{pictures} * sizeof(PictureView), [&](Stream stream) {
    draw_views(draws, {.batches = 25, .batch = 2000, .samples = 2000}, views.as<PictureView>(), stream);
  });
}

void filters(benchmark::State& state) {
  constexpr FilterShape shape{256, 256, 3, 3, 256, 256};
  constexpr std::int64_t count = std::int64_t{256} * 256 * 9;
  const Memory arena(4 * count), out(2 * count);
  measure(state, 6 * count,
          [&](Stream stream) { filters_from_arena(storage, shape, arena.as<float>(), out.as(), stream); });
}

void add(const std::string& name, const std::function<void(benchmark::State&)>& run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->UseManualTime()->Unit(benchmark::kMicrosecond);
}

void add_all() {
  add("copy", copy);
  add("gather_pictures", pictures);
  add("norm_apply/bias+gelu", bias_and_gelu);
  add("max_pool_forward+sums", max_pool_and_sums);
  add("norm_sums", sums);
  add("norm_finish", finish);
  add("norm_apply/gelu", apply_gelu);
  add("norm_backward_sums/gelu", backward_sums_gelu);
  add("norm_backward_apply/gelu", [](benchmark::State& state) { backward_apply_gelu(state, false); });
  add("norm_backward_apply/gelu+unpool", [](benchmark::State& state) { backward_apply_gelu(state, true); });
  add("max_pool_backward/3x3,stride2", overlapping_max_pool_backward);
  add("cross_entropy", loss);
  add("update_arena", sgd);
  add("filters_from_arena", filters);
  add("sum_gradients", gradient_sums);
  add("digest_arena", digest);
  add("muon_polynomial", polynomial);
  add("draw_views", draws);
}

}  // namespace
}  // namespace whorl::nn::cuda

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  int devices = 0;
  const cudaError_t found = cudaGetDeviceCount(&devices);
  if (found != cudaSuccess || devices == 0) {
    fmt::print(stderr, "skipped: there is no GPU here ({})\n", cudaGetErrorString(found));
    return 77;
  }
  try {
    whorl::nn::cuda::add_all();
    benchmark::RunSpecifiedBenchmarks();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench-cuda-kernels: {}\n", whorl::describe(error));
    return 1;
  }
  return 0;
}
