// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "scale/rows.hpp"

namespace whorl::test {

/// A strong-scaling training of 1000 pictures at `throughput` pictures/s, split in the proportions of
/// `parts`.
inline scale::Row row(int ranks, double throughput, const scale::Split& parts = {.compute = 1}) {
  scale::Row row{.timing = {.point = {.workload = "train",
                                      .scaling = "strong",
                                      .placement = "packed",
                                      .ranks = ranks,
                                      .batch = 100,
                                      .all_reduce = "ring"}},
                 .pictures = 1000,
                 .seconds = 1000 / throughput,
                 .split = parts,
                 .all_reduce_steps = {},
                 .all_reduce_bytes = {},
                 .started = "2025-01-31T12:00:00Z"};
  const double sum = parts.compute + parts.communication + parts.input + parts.waiting + parts.other;
  for (double* part : {&row.split.compute, &row.split.communication, &row.split.input, &row.split.waiting,
                       &row.split.other}) {
    *part *= row.seconds / sum;
  }
  return row;
}

}  // namespace whorl::test
