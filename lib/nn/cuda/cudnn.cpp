// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/cudnn.hpp"

#include <array>

#include "base/error.hpp"

namespace whorl::nn::cuda {

void check(cudnnStatus_t status, const char* call) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  std::array<char, 1024> words{};
  cudnnGetLastErrorString(words.data(), words.size());
  throw Error("{} failed: {}: {}", call, cudnnGetErrorString(status), words.data());
}

std::string cudnn_version() {
  const std::size_t version = cudnnGetVersion();
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

Descriptor::Descriptor(cudnnBackendDescriptorType_t type) {
  cudnnBackendDescriptor_t descriptor = nullptr;
  check(cudnnBackendCreateDescriptor(type, &descriptor), "cudnnBackendCreateDescriptor");
  descriptor_.reset(descriptor);
}

void Descriptor::get(cudnnBackendAttributeName_t name, std::vector<Descriptor>& into) const {
  std::vector<cudnnBackendDescriptor_t> handles;
  for (const Descriptor& descriptor : into) handles.push_back(descriptor.get());
  const auto count = get(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::ssize(handles), handles.data());
  into.erase(into.begin() + count, into.end());
}

void Descriptor::finalize() {
  check(cudnnBackendFinalize(get()), "cudnnBackendFinalize");
}

bool Descriptor::try_finalize() {
  const cudnnStatus_t status = cudnnBackendFinalize(get());
  // Statuses from 3000 on say: not supported, for one reason or another.
  if (status < CUDNN_STATUS_NOT_SUPPORTED || status >= CUDNN_STATUS_INTERNAL_ERROR)
    check(status, "cudnnBackendFinalize");
  return status == CUDNN_STATUS_SUCCESS;
}

void Descriptor::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
                     const void* values) {
  check(cudnnBackendSetAttribute(get(), name, type, count, values), "cudnnBackendSetAttribute");
}

std::int64_t Descriptor::get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                             std::int64_t count, void* values) const {
  std::int64_t found = 0;
  check(cudnnBackendGetAttribute(get(), name, type, count, &found, values), "cudnnBackendGetAttribute");
  return found;
}

void Descriptor::Traits::release(cudnnBackendDescriptor_t descriptor) noexcept {
  cudnnBackendDestroyDescriptor(descriptor);
}

CudnnHandle::CudnnHandle() {
  cudnnHandle_t handle = nullptr;
  check(cudnnCreate(&handle), "cudnnCreate");
  handle_.reset(handle);
}

void CudnnHandle::Traits::release(cudnnHandle_t handle) noexcept {
  cudnnDestroy(handle);
}

}  // namespace whorl::nn::cuda
