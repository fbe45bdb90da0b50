// SPDX-License-Identifier: BSD-3-Clause
// What happens to the arenas, beside train::Optimizer on the same numbers.
#include "nn/cuda/kernels/weights.hpp"

#include "cuda_kernels/emulated_gpu.hpp"
#include "nn/network.hpp"
#include "train/muon.hpp"
#include "train/optimizer.hpp"

namespace whorl::nn::cuda {
namespace {

constexpr int steps = 4, shards = 2, batch = 6;

/// A tensor of every kind.
Network make_test_network() {
  NetworkBuilder builder("test", {3, 4, 4}, {});
  builder.add(
      "white",
      Conv{.filters = 24, .kernel = 2, .padding = 0, .bias = true, .frozen = true, .init = Init::whitening});
  builder.add("norm", BatchNorm{.momentum = 0.25F});
  builder.add("wide", Conv{.filters = 16});
  builder.add("tall", Conv{.filters = 40});
  builder.add("head", Linear{.outputs = 3, .bias = true});
  return std::move(builder).build();
}

double factor_of(int step) {
  return 1 - 0.2 * step;
}

bool is_muon(const Tensor& tensor, const train::OptimizerOptions& options) {
  return options.kind == "muon" && tensor.role == Role::conv_weight && !tensor.frozen;
}

/// A tensor's rule in a step, as the executor's table has it; the first is Muon's.
UpdateRule rule_of(const Tensor& tensor, const train::OptimizerOptions& options, int step) {
  if (tensor.role == Role::running_mean || tensor.role == Role::running_variance)
    return {.gradient_scale = 0.25F / shards, .keep = 0.75F, .momentum = 0, .rate = -1};
  const double base = is_muon(tensor, options) ? options.muon_learning_rate : options.learning_rate;
  const bool decays = tensor.role == Role::conv_weight || tensor.role == Role::linear_weight;
  const double rate = base * factor_of(step), decay = decays ? options.weight_decay : 0;
  UpdateRule rule{
      .gradient_scale = options.loss == "mean" ? 1.0F / batch : 1.0F,
      .momentum = static_cast<float>(is_muon(tensor, options) ? options.muon_momentum : options.momentum),
      .rate = static_cast<float>(rate)};
  if (options.decay == "coupled") rule.coupled_decay = static_cast<float>(decay);
  if (options.decay == "decoupled") rule.keep = static_cast<float>(1 - rate * decay);
  return rule;
}

/// Random numbers in the tensors and 0 in the gaps.
std::vector<float> arena_of(const Network& network, std::uint64_t stream) {
  std::vector<float> arena(network.parameters.size());
  for (const Tensor& tensor : network.parameters.tensors()) {
    const Doubles numbers =
        normal_numbers<float>(static_cast<std::int64_t>(tensor.count), stream + tensor.offset);
    for (std::size_t i = 0; i < tensor.count; ++i)
      arena[tensor.offset + i] = static_cast<float>(std::abs(numbers[i]));
  }
  return arena;
}
std::vector<float> gradients_of(const Network& network, int step) {
  return arena_of(network, 10000 * (std::uint64_t(step) + 1));
}

std::vector<float> by_optimizer(const Network& network, const train::OptimizerOptions& options) {
  train::Optimizer optimizer(network, options, steps, steps);
  std::vector<float> parameters = arena_of(network, 0);
  for (int step = 0; step < steps; ++step)
    optimizer.step(parameters, gradients_of(network, step), factor_of(step), shards, batch);
  return parameters;
}

/// The arenas of a training, in the emulated GPU's memory.
struct Training {
  Network network = make_test_network();
  train::OptimizerOptions options;
  std::int64_t floats = static_cast<std::int64_t>(network.parameters.size());
  int rule_count = static_cast<int>(network.parameters.tensors().size());
  DeviceArray<float> parameters{arena_of(network, 0)}, slow{arena_of(network, 0)};
  DeviceArray<float> buffer{std::vector<float>(network.parameters.size())};
  DeviceArray<std::uint8_t> rule_of_group{rules_of_groups()};
  DeviceArray<UpdateRule> rules{rule_table()};
  DeviceArray<float> look_ahead_weights{{0, 0, 0.5F, 0.5F}};
  DeviceArray<std::int64_t> step{{0}}, batch_number{{7}};

  explicit Training(train::OptimizerOptions o) : options(std::move(o)) {}

  std::vector<std::uint8_t> rules_of_groups() const {
    std::vector<std::uint8_t> groups(network.parameters.size() / 16, no_rule);
    for (int i = 0; i < rule_count; ++i) {
      const Tensor& tensor = network.parameters.tensors()[std::size_t(i)];
      if (tensor.frozen || is_muon(tensor, options)) continue;
      for (std::size_t group = tensor.offset / 16; group * 16 < tensor.offset + tensor.count; ++group)
        groups[group] = static_cast<std::uint8_t>(i);
    }
    return groups;
  }
  std::vector<UpdateRule> rule_table() const {
    std::vector<UpdateRule> table;
    for (int row = 0; row < steps; ++row)
      for (const Tensor& tensor : network.parameters.tensors())
        table.push_back(rule_of(tensor, options, row));
    return table;
  }

  void run_step(int number) {
    DeviceArray<float> gradients(gradients_of(network, number));
    const RuleTable table{rules.data(), rule_count, step.data()};
    update_arena({floats, parameters.data(), gradients.data(), buffer.data(), rule_of_group.data(), table},
                 nullptr);
    if (options.kind == "muon") run_muon(gradients, table);
    if (options.lookahead_every > 0)
      look_ahead(floats, parameters.data(), slow.data(), look_ahead_weights.data(), step.data(), nullptr);
    advance(step.data(), batch_number.data(), nullptr);
  }

  void run_muon(DeviceArray<float>& gradients, const RuleTable& table) {
    std::vector<MuonMatrix> list;
    int rule = 0;
    for (int i = 0; i < rule_count; ++i) {
      const Tensor& tensor = network.parameters.tensors()[std::size_t(i)];
      if (!is_muon(tensor, options)) continue;
      list.push_back({static_cast<std::int64_t>(tensor.offset), tensor.shape[0],
                      static_cast<int>(tensor.count) / tensor.shape[0]});
      rule = i;
    }
    DeviceArray<MuonMatrix> matrices(list);
    auto direction = DeviceArray<float>::poisoned(floats), normalised = DeviceArray<float>::poisoned(floats);
    auto partials = DeviceArray<float>::poisoned(
        static_cast<std::int64_t>(muon_partials_floats(static_cast<int>(list.size()))));
    const Muon muon{matrices.data(),
                    static_cast<int>(list.size()),
                    parameters.data(),
                    gradients.data(),
                    buffer.data(),
                    direction.data(),
                    partials.data(),
                    table,
                    rule};
    muon_direction(muon, nullptr);
    partials.expect_all_written();
    muon_normalise(Storage::float32, muon, normalised.data(), nullptr);
    for (const MuonMatrix& matrix : list) {
      const std::int64_t end = matrix.offset + std::int64_t{matrix.rows} * matrix.columns;
      direction.expect_written(matrix.offset, end);
      normalised.expect_written(matrix.offset, end);
      expect_normalised(normalised.data() + matrix.offset, direction.data() + matrix.offset,
                        end - matrix.offset);
      orthogonalise(normalised.data() + matrix.offset, matrix);
    }
    muon_apply(Storage::float32, muon, normalised.data(), nullptr);
  }

  static void expect_normalised(const float* normalised, const float* direction, std::int64_t count) {
    double squares = 0;
    for (std::int64_t i = 0; i < count; ++i) squares += double{direction[i]} * double{direction[i]};
    for (std::int64_t i = 0; i < count; ++i)
      ASSERT_NEAR(normalised[i], direction[i] / std::sqrt(squares), 1e-6 * std::abs(normalised[i]));
  }
  static void orthogonalise(float* values, const MuonMatrix& matrix) {
    train::Orthogonaliser orthogonaliser(matrix.rows, matrix.columns, 3);
    std::copy_n(values, orthogonaliser.matrix().size(), orthogonaliser.matrix().begin());
    orthogonaliser.run();
    std::copy_n(orthogonaliser.matrix().begin(), orthogonaliser.matrix().size(), values);
  }
};

void check(const train::OptimizerOptions& options, double relative_bound) {
  const std::vector<float> actual = in_every_order([&] {
    Training training(options);
    for (int step = 0; step < steps; ++step) training.run_step(step);
    EXPECT_EQ(training.step.values()[0], steps);
    EXPECT_EQ(training.batch_number.values()[0], 7 + steps);
    return training.parameters.values();
  });
  const std::vector<float> expected = by_optimizer(make_test_network(), options);
  for (std::size_t i = 0; i < expected.size(); ++i)
    ASSERT_NEAR(actual[i], expected[i], relative_bound * (1 + std::abs(expected[i]))) << "float " << i;
}

TEST(WeightKernels, SgdWithCoupledDecay) {
  check({.loss = "sum", .learning_rate = 0.1, .weight_decay = 0.01, .decay = "coupled"}, 1e-6);
}
TEST(WeightKernels, SgdWithDecoupledDecay) {
  check({.learning_rate = 0.3, .momentum = 0.5, .weight_decay = 0.2, .decay = "decoupled"}, 1e-6);
}
TEST(WeightKernels, LookAheadInTheLastTwoSteps) {
  // Optimizer looks ahead every third step and after the last.
  check({.learning_rate = 0.3, .lookahead_every = 3, .lookahead_factor = 0.5}, 1e-6);
}
TEST(WeightKernels, Muon) {
  check({.kind = "muon",
         .learning_rate = 0.1,
         .muon_learning_rate = 0.24,
         .muon_momentum = 0.6,
         .muon_iterations = 3},
        2e-5);
}

TEST(WeightKernels, AdvanceEitherCounter) {
  DeviceArray<std::int64_t> step({41}), batch_number({7});
  advance(step.data(), nullptr, nullptr);
  EXPECT_EQ(step.values()[0], 42);
  advance(nullptr, batch_number.data(), nullptr);
  EXPECT_EQ(batch_number.values()[0], 8);
  EXPECT_EQ(step.values()[0], 42);
}

TEST(WeightKernels, SumGradients) {
  const Doubles gradient = normal_numbers<float>(4096, 1), more = normal_numbers<float>(4096, 2);
  auto gradients = floats_of(gradient), later = floats_of(more);
  const Doubles sums = in_every_order([&] {
    auto device_sums = DeviceArray<float>::poisoned(4096);
    sum_gradients(4096, gradients.data(), false, device_sums.data(), nullptr);
    EXPECT_EQ(device_sums.numbers(), gradient);
    sum_gradients(4096, later.data(), true, device_sums.data(), nullptr);
    return device_sums.numbers();
  });
  for (std::size_t i = 0; i < sums.size(); ++i)
    ASSERT_EQ(sums[i], double{static_cast<float>(gradient[i]) + static_cast<float>(more[i])});
}

template <typename T>
struct FilterKernels : ::testing::Test {};
TYPED_TEST_SUITE(FilterKernels, StorageTypes, StorageNames);

TYPED_TEST(FilterKernels, ToFiltersAndBack) {
  using T = TypeParam;
  for (const FilterShape& shape : {FilterShape{10, 3, 2, 3, 16, 8}, FilterShape{24, 40, 3, 3, 24, 40},
                                   FilterShape{5, 16, 1, 1, 8, 16}}) {
    const int area = shape.height * shape.width;
    const std::int64_t weights = std::int64_t{shape.filters} * shape.channels * area;
    const Doubles arena = normal_numbers<T>(weights, 1);
    auto device_arena = floats_of(arena);
    Doubles back;
    const Doubles filters = in_every_order([&] {
      auto device_filters =
          DeviceArray<T>::poisoned(std::int64_t{shape.padded_filters} * area * shape.padded_channels);
      auto device_back = DeviceArray<float>::poisoned(weights);
      filters_from_arena(storage_of<T>, shape, device_arena.data(), device_filters.data(), nullptr);
      device_filters.expect_all_written();
      filter_gradient_to_arena(storage_of<T>, shape, device_filters.data(), device_back.data(), nullptr);
      device_back.expect_all_written();
      back = device_back.numbers();
      return device_filters.numbers();
    });
    EXPECT_EQ(back, arena);
    for (int f = 0; f < shape.padded_filters; ++f)
      for (int cell = 0; cell < area; ++cell)
        for (int c = 0; c < shape.padded_channels; ++c) {
          const bool is_there = f < shape.filters && c < shape.channels;
          ASSERT_EQ(filters[std::size_t((f * area + cell) * shape.padded_channels + c)],
                    is_there ? arena[std::size_t((f * shape.channels + c) * area + cell)] : 0);
        }
  }
}

TYPED_TEST(FilterKernels, MuonPolynomial) {
  using T = TypeParam;
  constexpr int side = 12, count = 3;
  constexpr std::int64_t elements = std::int64_t{count} * side * side;
  const Doubles gram = normal_numbers<T>(elements, 5), square = normal_numbers<T>(elements, 6);
  auto device_gram = array_of<T>(gram), device_square = array_of<T>(square);
  const Doubles polynomial = in_every_order([&] {
    auto out = DeviceArray<T>::poisoned(elements);
    muon_polynomial(storage_of<T>,
                    {.side = side,
                     .count = count,
                     .a = 3,
                     .b = -5,
                     .c = 2,
                     .gram = device_gram.data(),
                     .square = device_square.data(),
                     .polynomial = out.data()},
                    nullptr);
    out.expect_all_written();
    return out.numbers();
  });
  Doubles expected;
  for (std::size_t i = 0; i < gram.size(); ++i) {
    const std::size_t in_matrix = i % (side * side);
    expected.push_back((in_matrix / side == in_matrix % side ? 3 : 0) - 5 * gram[i] + 2 * square[i]);
  }
  expect_close<T>(polynomial, expected);
}

/// 16-bit matrices of Muon: rounded on the way out, added as they come.
TYPED_TEST(FilterKernels, MuonInTheStorageType) {
  using T = TypeParam;
  constexpr int rows = 3, columns = 16;
  DeviceArray<MuonMatrix> matrices({{16, rows, columns}});
  const Doubles weights = normal_numbers<float>(64, 2), gradient = normal_numbers<float>(64, 3),
                orthogonal = normal_numbers<T>(64, 4);
  auto parameters = floats_of(weights), gradients = floats_of(gradient), buffer = floats_of(Doubles(64, 0.0));
  auto direction = DeviceArray<float>::poisoned(64), partials = DeviceArray<float>::poisoned(2 * muon_blocks);
  auto normalised = DeviceArray<T>::poisoned(64), device_orthogonal = array_of<T>(orthogonal);
  DeviceArray<UpdateRule> rules({{.momentum = 0.5F, .rate = 0.25F}});
  DeviceArray<std::int64_t> step({0});
  const Muon muon{matrices.data(),
                  1,
                  parameters.data(),
                  gradients.data(),
                  buffer.data(),
                  direction.data(),
                  partials.data(),
                  {rules.data(), 1, step.data()},
                  0};
  muon_direction(muon, nullptr);
  muon_normalise(storage_of<T>, muon, normalised.data(), nullptr);
  muon_apply(storage_of<T>, muon, device_orthogonal.data(), nullptr);

  double direction_squares = 0, weight_squares = 0;
  for (std::size_t i = 16; i < 64; ++i) {
    direction_squares += std::pow(1.5 * gradient[i], 2);
    weight_squares += weights[i] * weights[i];
  }
  Doubles expected_normalised, expected_weights, actual_normalised, actual_weights;
  for (std::size_t i = 16; i < 64; ++i) {
    expected_normalised.push_back(1.5 * gradient[i] / std::sqrt(direction_squares));
    expected_weights.push_back(weights[i] * std::sqrt(rows / weight_squares) - 0.25 * orthogonal[i]);
    actual_normalised.push_back(normalised.numbers()[i]);
    actual_weights.push_back(parameters.numbers()[i]);
  }
  expect_close<T>(actual_normalised, expected_normalised);
  expect_close<float>(actual_weights, expected_weights);
  EXPECT_EQ(parameters.numbers()[15], weights[15]);  // belongs to somebody else
}

}  // namespace
}  // namespace whorl::nn::cuda
