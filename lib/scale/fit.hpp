// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace whorl::scale {

/// Repeated timings on one number of ranks.
struct Sample {
  int ranks = 1;
  std::vector<double> throughputs;  ///< pictures/s, by repeat; at least one
};

struct Interval {
  double low = 0, high = 0;
};

/// The percentile bootstrap, 95 %: repeats are drawn anew within each number of ranks (Efron & Tibshirani,
/// "An introduction to the bootstrap", 1993). With few repeats it is too narrow.
constexpr int bootstrap_draws = 1000;

/// A parameter of a fitted law. No interval where some number of ranks has only one repeat.
struct Parameter {
  std::string name;
  double value = 0;
  std::optional<Interval> interval;
};

/// A law of scaling fitted to a series. P is the number of ranks, X(P) the throughput.
struct Fit {
  std::string law;      ///< Amdahl, Gustafson, USL
  std::string formula;  ///< with the names of the parameters
  std::vector<Parameter> parameters;
  std::string failure;                 ///< why there is no fit; then all else is empty
  std::vector<double> residuals;       ///< by sample: mean measured / fitted - 1
  bool exact_by_count = false;         ///< as many parameters as points: residuals say nothing
  double throughput(int ranks) const;  ///< that the law gives
};

/// Amdahl (AFIPS 1967), for strong scaling: X(P) = x1 / (s + (1-s)/P), s the serial share.
/// Gustafson (CACM 31, 1988), for weak scaling: X(P) = x1 (s + (1-s) P).
/// Universal Scalability Law (Gunther, "Guerrilla capacity planning", 2007), for both:
///   X(P) = x1 P / (1 + contention (P-1) + coherency P (P-1)).
/// All three are linear in some function of X, so each is a least squares problem of two or three unknowns,
/// weighted so that relative errors count, its parameters kept at 0 or more. Fitted to every repeat.
Fit fit_amdahl(const std::vector<Sample>& samples, std::uint64_t seed);
Fit fit_gustafson(const std::vector<Sample>& samples, std::uint64_t seed);
Fit fit_usl(const std::vector<Sample>& samples, std::uint64_t seed);

/// The number of ranks with the largest throughput of a fitted USL; nothing when it never falls.
std::optional<double> peak_ranks(const Fit& usl);

/// Throughput per rank over that of the samples' first entry, with its interval: medians.
struct Efficiency {
  int ranks = 1;
  double value = 1;
  std::optional<Interval> interval;
};
std::vector<Efficiency> efficiencies(const std::vector<Sample>& samples, std::uint64_t seed);

double median(std::vector<double> values);

}  // namespace whorl::scale
