// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/emulator/queue.hpp"

#include <utility>

#include "base/error.hpp"

namespace whorl::nn::cuda::emulator {

std::optional<Capture>& capture() {
  static std::optional<Capture> under_way;
  return under_way;
}

std::int64_t& clock() {
  static std::int64_t pieces = 0;
  return pieces;
}

void queue(Stream stream, Work work) {
  const Work timed = [work = std::move(work)] {
    work();
    ++clock();
  };
  std::optional<Capture>& into = capture();
  if (!into) return timed();
  require(into->streams.contains(stream),
          "work is queued in a stream that the graph under capture does not reach");
  if (stream != into->origin) into->unjoined.insert(stream);
  into->work.push_back(timed);
}

}  // namespace whorl::nn::cuda::emulator
