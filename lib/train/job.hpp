// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "collective/all_reduce.hpp"
#include "train/augment.hpp"
#include "train/optimizer.hpp"
#include "train/schedule.hpp"

namespace whorl::train {

struct DataOptions {
  std::string file;     ///< dataset file, made by whorl-ingest
  bool verify = false;  ///< compare what is read with its checksums, see dataset::Reader::Verify
};

struct NetworkOptions {
  std::string name = "petal";
  int image_size = 0;  ///< pixels, height and width of the network's input; 0: the dataset's
};

struct TrainOptions {
  double epochs = 10;        ///< a fraction ends the last epoch early
  std::int64_t batch = 500;  ///< pictures of one step, over all ranks
  int shard = 50;            ///< pictures normalised together; divides batch
  std::uint64_t seed = 1;
  double label_smoothing = 0;
  bool reproducible = true;  ///< the same weights for any number of ranks: see ExactGradientSum
  int evaluate_every = 1;    ///< epochs between evaluations; the last epoch is always evaluated. 0: only the
                             ///< last; negative: none (timing)
  std::int64_t whitening_samples = 5000;  ///< training pictures that whitening filters are made from
};

struct EvaluateOptions {
  std::string tta = "none";  ///< views of the final evaluation, see views_of()
};

struct ParallelOptions {
  std::string device = "cpu";         ///< backend of the executor
  std::string precision = "float32";  ///< nn::precision_names(); other than float32: on a GPU only
  bool share_gpu = false;             ///< two ranks may use one GPU
  int threads = 0;                    ///< of each rank; 0: see mpi::default_threads()
  std::string algorithms = "fixed";   ///< of convolutions: fixed | measured | direct
  std::string all_reduce = "auto";    ///< collective::available_algorithms(), or auto: the fastest
  std::string nccl_algorithm = collective::Options{}.nccl_algorithm;  ///< ring | tree | auto
  std::string progress = "polling";                                   ///< of sums under way: polling | thread
  std::size_t bucket_bytes = 1 << 20;
  double watchdog =
      20;  ///< seconds without an answer of a rank that end the job, see mpi::Watchdog; 0: never
  std::size_t chunk_bytes = collective::Options{}.chunk_bytes;  ///< see collective::chunk_bytes()
};

/// When the state of a training is written down, to go on from there.
struct CheckpointOptions {
  int epochs = 1;        ///< between checkpoints; 0: none for epochs
  double seconds = 600;  ///< between checkpoints, whatever the epoch; 0: none for time
  int keep = 2;          ///< the last so many
};

/// Everything that decides the outcome of a training run: the content of a job file.
struct Job {
  DataOptions data;
  NetworkOptions network;
  TrainOptions train;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  AugmentOptions augment;
  EvaluateOptions evaluate;
  ParallelOptions parallel;
  CheckpointOptions checkpoint;
};

/// One `key = value`, the key with its section: "train.epochs".
struct Setting {
  std::string key;
  std::string value;
  std::string origin;  ///< for messages: "the command line", "jobs/petal.ini line 7"
};

/// The words of a whorl-train command line.
struct CommandLine {
  bool help = false;
  std::string job_file;
  std::string run;                ///< run folder; empty: chosen from the job's name and the time
  std::string resume = "auto";    ///< auto, never, or a checkpoint's path
  double walltime = 0;            ///< seconds that the program may run; 0: any
  std::vector<Setting> settings;  ///< from --section.key=value and the shorthands --data and --device
};

/// Throws UsageError naming the nearest flag for one that does not exist.
CommandLine parse_command_line(const std::vector<std::string>& arguments);
/// Settings of an INI job file; `file` is its name for messages. Throws UsageError with file, line and the
/// nearest key for an unknown key.
std::vector<Setting> parse_job_file(const std::string& file, const std::string& text);
/// Sets fields of `job`; later settings win. Throws UsageError naming the origin for a value that cannot be.
void apply_settings(Job& job, const std::vector<Setting>& settings);
/// Throws UsageError for numbers that no training can have, such as zero epochs.
void check(const Job& job);

/// "train.batch = 500 there, 400 here" of the first key that decides the weights and differs; empty when
/// there is none. Where data lie, how the work is spread, checkpoints and the final evaluation may differ.
std::string difference(const Job& there, const Job& here);

/// The complete INI file that reproduces a run: every key with its value. parse_job_file() and
/// apply_settings() give the same job back.
std::string resolved_text(const Job& job);
/// What --help prints: usage, examples, every key with its default.
std::string help_text();

}  // namespace whorl::train
