// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cudnn.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/unique_handle.hpp"

/// cuDNN's graph ("backend") API: everything is a descriptor with typed attributes, finalised once.
/// https://docs.nvidia.com/deeplearning/cudnn/backend/latest/api/cudnn-graph-library.html
namespace whorl::nn::cuda {

/// Throws Error with cuDNN's own words unless `status` is a success.
void check(cudnnStatus_t status, const char* call);

/// "9.19.0"
std::string cudnn_version();

/// The attribute type that cuDNN wants beside a C++ type.
template <typename T>
constexpr cudnnBackendAttributeType_t attribute_type = CUDNN_TYPE_VOID_PTR;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<std::int64_t> = CUDNN_TYPE_INT64;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<float> = CUDNN_TYPE_FLOAT;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<char> = CUDNN_TYPE_CHAR;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<cudnnHandle_t> = CUDNN_TYPE_HANDLE;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<cudnnDataType_t> = CUDNN_TYPE_DATA_TYPE;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<cudnnConvolutionMode_t> =
    CUDNN_TYPE_CONVOLUTION_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<cudnnBackendHeurMode_t> = CUDNN_TYPE_HEUR_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<cudnnBackendNumericalNote_t> =
    CUDNN_TYPE_NUMERICAL_NOTE;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<cudnnBackendBehaviorNote_t> =
    CUDNN_TYPE_BEHAVIOR_NOTE;
template <>
inline constexpr cudnnBackendAttributeType_t attribute_type<cudnnBackendDescriptor_t> =
    CUDNN_TYPE_BACKEND_DESCRIPTOR;

class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type);
  cudnnBackendDescriptor_t get() const { return descriptor_.get(); }

  template <typename T>
  void set(cudnnBackendAttributeName_t name, std::span<const T> values) {
    set(name, attribute_type<T>, std::ssize(values), values.data());
  }
  template <typename T>
  void set(cudnnBackendAttributeName_t name, const std::vector<T>& values) {
    set(name, std::span<const T>(values));
  }
  template <typename T>
  void set(cudnnBackendAttributeName_t name, T value) {
    set(name, std::span<const T>(&value, 1));
  }
  void set(cudnnBackendAttributeName_t name, const Descriptor& value) { set(name, value.get()); }

  /// At most `most` values.
  template <typename T>
  std::vector<T> get(cudnnBackendAttributeName_t name, std::int64_t most) const {
    std::vector<T> values(static_cast<std::size_t>(most));
    values.resize(static_cast<std::size_t>(get(name, attribute_type<T>, most, values.data())));
    return values;
  }
  template <typename T>
  std::int64_t count(cudnnBackendAttributeName_t name) const {
    return get(name, attribute_type<T>, 0, nullptr);
  }
  /// Descriptors within this one, which are filled in, up to as many as there are.
  void get(cudnnBackendAttributeName_t name, std::vector<Descriptor>& into) const;

  /// Throws Error with cuDNN's words.
  void finalize();
  /// False where cuDNN does not support what is described.
  bool try_finalize();

 private:
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
           const void* values);
  std::int64_t get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
                   void* values) const;
  struct Traits {
    static cudnnBackendDescriptor_t invalid() { return nullptr; }
    static void release(cudnnBackendDescriptor_t descriptor) noexcept;
  };
  UniqueHandle<cudnnBackendDescriptor_t, Traits> descriptor_;
};

/// cuDNN on the current GPU.
class CudnnHandle {
 public:
  CudnnHandle();
  cudnnHandle_t get() const { return handle_.get(); }

 private:
  struct Traits {
    static cudnnHandle_t invalid() { return nullptr; }
    static void release(cudnnHandle_t handle) noexcept;
  };
  UniqueHandle<cudnnHandle_t, Traits> handle_;
};

}  // namespace whorl::nn::cuda
