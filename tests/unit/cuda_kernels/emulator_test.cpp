// SPDX-License-Identifier: BSD-3-Clause
// The emulator finds the faults that it is there for.
#include "base/error.hpp"
#include "cuda_kernels/emulated_gpu.hpp"
#include "nn/cuda/kernels/launch.hpp"

namespace whorl::nn::cuda {
namespace {

/// Rotates the values within each block of 8, with or without the barrier that this needs.
struct Rotate {
  static constexpr int threads = 8;
  struct Shared {
    Array<float, threads> values;
  };
  In<float> in;
  Out<float> out;
  bool has_barrier;

  void operator()(Block& block, Shared& shared) {
    const auto write = [&](int thread) { shared.values[thread] = in[block.index() * threads + thread]; };
    const auto read = [&](int thread) {
      out.set(block.index() * threads + thread, shared.values[(thread + 1) % threads]);
    };
    if (has_barrier) {
      block.phase(write);
      block.phase(read);
    } else {
      block.phase([&](int thread) {
        write(thread);
        read(thread);
      });
    }
  }
};

std::vector<float> rotated(bool has_barrier, emulator::Order order) {
  emulator::grid().order = order;
  DeviceArray<float> in({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
  auto out = DeviceArray<float>::poisoned(16);
  launch("rotate", Rotate{in.data(), out.data(), has_barrier}, 2, nullptr);
  out.expect_all_written();
  return out.values();
}

TEST(Emulator, AMissingBarrierShows) {
  const std::vector<float> expected{1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 8};
  for (const auto order : {emulator::Order::forward, emulator::Order::reverse, emulator::Order::shuffled}) {
    EXPECT_EQ(rotated(true, order), expected);
    const std::vector<float> wrong = rotated(false, order);
    EXPECT_TRUE(std::any_of(wrong.begin(), wrong.end(), [](float value) { return std::isnan(value); }));
  }
}

/// Does one thing that is not allowed.
struct Fault {
  static constexpr int threads = 4;
  using Shared = Nothing;
  enum Kind { read_behind_end, read_before_start, write_twice, misaligned_pack, null } kind;
  In<float> in;
  Out<float> out;

  void operator()(Block& block, Shared&) {
    block.phase([&](int thread) {
      if (thread != 2) return;
      if (kind == read_behind_end) out.set(0, in[16]);
      if (kind == read_before_start) out.set(0, in[-1]);
      if (kind == write_twice) out.set(block.index() / 2, 1.0F);
      if (kind == misaligned_pack) out.set(0, in.pack(3));
      if (kind == null) out.set(0, In<float>()[0]);
    });
  }
};

std::string message_of(Fault::Kind kind) {
  emulator::grid().order = emulator::Order::forward;
  auto in = DeviceArray<float>::poisoned(16);
  auto out = DeviceArray<float>::poisoned(16);
  try {
    launch("fault", Fault{kind, in.data(), out.data()}, 2, nullptr);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Emulator, NamesKernelBlockThreadAndFault) {
  EXPECT_EQ(message_of(Fault::read_behind_end),
            "kernel fault, block 0, thread 2: element 16 of 16 is accessed");
  EXPECT_EQ(message_of(Fault::read_before_start),
            "kernel fault, block 0, thread 2: element -1 of 16 is accessed");
  EXPECT_EQ(message_of(Fault::write_twice), "kernel fault, block 1, thread 2: element 0 is written twice");
  EXPECT_EQ(message_of(Fault::misaligned_pack),
            "kernel fault, block 0, thread 2: a pack of 8 starts at element 3, which is not aligned");
  EXPECT_EQ(message_of(Fault::null), "kernel fault, block 0, thread 2: null is accessed");
}

TEST(Emulator, RefusesForeignPointersAndOtherTypes) {
  std::vector<float> foreign(4);
  EXPECT_THROW(In<float>(foreign.data()), Error);
  DeviceArray<Half> halves(std::vector<Half>(4));
  EXPECT_THROW(In<float>(reinterpret_cast<float*>(halves.data())), Error);
  EXPECT_NO_THROW(In<Half>(halves.data() + 3));
  EXPECT_THROW(In<Half>(halves.data() + 4), Error);
}

TEST(Launch, RefusesWhatKernelsCannotDo) {
  EXPECT_THROW(check_grid("k", 0), Error);
  EXPECT_NO_THROW(check_maps("k", Extent{1, 3, 3, 2048}));
  EXPECT_THROW(check_maps("k", Extent{1, 3, 3, 12}), Error);
  EXPECT_THROW(check_maps("k", Extent{1, 3, 3, 2056}), Error);
  EXPECT_THROW(check_maps("k", Extent{1 << 15, 1 << 8, 1 << 8, 8}), Error);
  EXPECT_NO_THROW(check_window("k", 16));
  EXPECT_THROW(check_window("k", 17), Error);
}

}  // namespace
}  // namespace whorl::nn::cuda
