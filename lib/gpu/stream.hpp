// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cuda_runtime_api.h>

#include "base/unique_handle.hpp"

namespace whorl::gpu {

class Event;

/// An order of work on the current GPU; does not wait for the default stream.
class Stream {
 public:
  Stream();
  cudaStream_t get() const { return stream_.get(); }
  /// Work that is put in from now on begins when `event`, recorded before, has been reached.
  void wait_for(const Event& event);
  /// Returns when all work is done.
  void synchronize();

 private:
  struct Traits {
    static cudaStream_t invalid() { return nullptr; }
    static void release(cudaStream_t stream) noexcept;
  };
  UniqueHandle<cudaStream_t, Traits> stream_;
};

/// A point in a stream, with its time.
class Event {
 public:
  Event();
  cudaEvent_t get() const { return event_.get(); }
  /// While the stream is captured, this orders the graph's work, and its time cannot be asked for.
  void record(const Stream& stream);
  /// The same, but every launch of a graph under capture records it again, with its time.
  void record_time(const Stream& stream);
  bool reached() const;
  /// Blocks until the point has been reached.
  void wait() const;
  /// Between two points that have been reached.
  double seconds_since(const Event& start) const;

 private:
  struct Traits {
    static cudaEvent_t invalid() { return nullptr; }
    static void release(cudaEvent_t event) noexcept;
  };
  UniqueHandle<cudaEvent_t, Traits> event_;
};

}  // namespace whorl::gpu
