// SPDX-License-Identifier: BSD-3-Clause
#include "train/cuda/gpu_sum.hpp"

#include "gpu/device.hpp"
#ifdef WHORL_HAS_NCCL
#include "collective/nccl_communicator.hpp"
#endif

namespace whorl::train {

#ifdef WHORL_HAS_NCCL
namespace {

class NcclSum final : public GpuSum {
 public:
  NcclSum(const mpi::Communicator& comm, const std::string& algorithm)
      : nccl_(comm, algorithm, std::chrono::seconds(120)) {}
  std::string name() const override { return nccl_.name(); }
  void queue(float* data, std::size_t count, const gpu::Stream& stream) override {
    nccl_.queue_sum(data, count, ncclFloat32, stream);
  }
  void wait(const gpu::Event& event) override { nccl_.wait(event); }

 private:
  collective::NcclCommunicator nccl_;
};

}  // namespace

std::unique_ptr<GpuSum> make_gpu_sum(const mpi::Communicator& comm, const std::string& algorithm) {
  gpu::claim_gpu(comm, false);  // NCCL takes no GPU twice
  return std::make_unique<NcclSum>(comm, algorithm);
}
#else
std::unique_ptr<GpuSum> make_gpu_sum(const mpi::Communicator&, const std::string&) {
  return nullptr;
}
#endif

}  // namespace whorl::train
