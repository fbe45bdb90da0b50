// SPDX-License-Identifier: BSD-3-Clause
#include "checkpoint/checkpoint.hpp"

#include <span>

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "h5/file.hpp"
#include "h5/seal.hpp"

namespace whorl::checkpoint {

namespace {

namespace fs = std::filesystem;

constexpr const char* format_name = "whorl-checkpoint";
constexpr const char* parameters_name = "parameters";
constexpr const char* momentum_name = "momentum";
constexpr const char* slow_weights_name = "slow_weights";
constexpr const char* exponents_name = "gradient_exponents";
constexpr const char* record_name = "record";

template <typename T>
void write_list(const h5::File& file, const char* name, std::span<const T> values) {
  h5::Dataset::create<T>(file, name, {values.size()}).template write_rows<T>(0, values);
}

template <typename T>
std::vector<T> read_list(const h5::File& file, const char* name) {
  return h5::Dataset::open(file, name).read_all<T>();
}

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void write(const fs::path& path, const Checkpoint& checkpoint) {
  const train::State& state = checkpoint.state;
  h5::File file = h5::File::create(path);
  write_list<float>(file, parameters_name, state.parameters);
  write_list<float>(file, momentum_name, state.optimizer.momentum);
  write_list<float>(file, slow_weights_name, state.optimizer.slow_weights);
  write_list<std::int32_t>(file, exponents_name, state.gradient_sum);
  write_list(file, record_name, bytes_of(checkpoint.record));
  h5::write_attribute(file, "/", "format", std::string(format_name));
  h5::write_attribute(file, "/", "step", state.step);
  h5::write_attribute(file, "/", "epoch_loss", state.loss);
  h5::write_attribute(file, "/", "epoch_correct", state.correct);
  h5::write_attribute(file, "/", "job", checkpoint.job);
  h5::write_attribute(file, "/", "dataset_digest", checkpoint.dataset_digest);
  file.close();
}

}  // namespace

void save(const fs::path& path, const Checkpoint& checkpoint) {
  Draft draft(path);
  {
    const std::lock_guard lock(h5::library_mutex());
    write(draft.path(), checkpoint);
    h5::seal(draft.path(), {parameters_name, momentum_name, slow_weights_name, exponents_name, record_name});
  }
  draft.publish();
}

Checkpoint load(const fs::path& path) {
  h5::verify_seal(path);
  const std::lock_guard lock(h5::library_mutex());
  const h5::File file = h5::File::open_read(path);
  require(
      h5::has_attribute(file, "/", "format") && h5::read_text_attribute(file, "/", "format") == format_name,
      "{} is not a checkpoint of whorl-train", file.path());
  Checkpoint checkpoint;
  checkpoint.state.step = h5::read_integer_attribute(file, "/", "step");
  checkpoint.state.loss = h5::read_integer_attribute(file, "/", "epoch_loss");
  checkpoint.state.correct = h5::read_integer_attribute(file, "/", "epoch_correct");
  checkpoint.state.parameters = read_list<float>(file, parameters_name);
  checkpoint.state.optimizer.momentum = read_list<float>(file, momentum_name);
  checkpoint.state.optimizer.slow_weights = read_list<float>(file, slow_weights_name);
  checkpoint.state.gradient_sum = read_list<std::int32_t>(file, exponents_name);
  checkpoint.job = h5::read_text_attribute(file, "/", "job");
  checkpoint.dataset_digest = h5::read_text_attribute(file, "/", "dataset_digest");
  const std::vector<std::uint8_t> record = read_list<std::uint8_t>(file, record_name);
  checkpoint.record.assign(record.begin(), record.end());
  return checkpoint;
}

}  // namespace whorl::checkpoint
