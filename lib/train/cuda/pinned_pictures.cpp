// SPDX-License-Identifier: BSD-3-Clause
#include "train/cuda/pinned_pictures.hpp"

#include "base/error.hpp"
#include "gpu/check.hpp"

namespace whorl::train {

void PinnedPictures::read(const dataset::Reader& reader, dataset::Split split,
                          std::span<const std::int64_t> samples, int classes) {
  pixel_bytes_ = samples.size() * reader.info().image_bytes();
  label_bytes_ = samples.size() * sizeof(std::int32_t);
  if (pixels_.bytes() < pixel_bytes_) {
    pixels_ = gpu::PinnedMemory(pixel_bytes_);
    labels_ = gpu::PinnedMemory(label_bytes_);
  }
  reader.read_images(split, samples, pixels_.as<std::uint8_t>().data());
  reader.read_labels(split, samples, labels_.as<std::int32_t>().data());
  reader.require_unchanged();
  const std::span<const std::int32_t> labels = labels_.as<std::int32_t>().first(samples.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    require(labels[i] >= 0 && labels[i] < classes, "{} picture {} has label {}, but there are {} classes",
            split == dataset::Split::train ? "training" : "test", samples[i], labels[i], classes);
  }
}

void PinnedPictures::copy(std::uint8_t* pixels, std::int32_t* labels, const gpu::Stream& stream) const {
  gpu::check(cudaMemcpyAsync(pixels, pixels_.as<std::uint8_t>().data(), pixel_bytes_, cudaMemcpyHostToDevice,
                             stream.get()),
             "cudaMemcpyAsync");
  gpu::check(cudaMemcpyAsync(labels, labels_.as<std::int32_t>().data(), label_bytes_, cudaMemcpyHostToDevice,
                             stream.get()),
             "cudaMemcpyAsync");
}

}  // namespace whorl::train
