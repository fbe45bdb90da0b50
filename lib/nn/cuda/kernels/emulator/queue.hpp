// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "nn/cuda/kernels/types.hpp"

/// The streams of an emulated GPU: work runs as it is queued, unless a graph is being captured.
namespace whorl::nn::cuda::emulator {

using Work = std::function<void()>;

/// What is captured between begin and end. Work may only go into the stream where the capture began, and into
/// streams that have waited for it; all of them must be waited for in the end.
struct Capture {
  Stream origin = nullptr;
  std::set<Stream> streams{};   ///< that belong to it
  std::set<Stream> unjoined{};  ///< those with work that the origin does not wait for yet
  std::vector<Work> work{};
};
/// The one under way.
std::optional<Capture>& capture();

/// Runs work, or adds it to the capture; throws Error where `stream` does not belong to that.
void queue(Stream stream, Work work);
/// How many pieces of work have run: the emulated GPU's clock.
std::int64_t& clock();

}  // namespace whorl::nn::cuda::emulator
