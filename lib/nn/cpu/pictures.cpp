// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cpu/pictures.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace whorl::nn::cpu {

PictureReader::PictureReader(const Network& network, const dnnl::memory::desc& layout)
    : shape_(network.input), images_(static_cast<int>(layout.data.dims[0])), bytes_(layout.get_size()) {
  const dnnl_blocking_desc_t& blocking = layout.data.format_desc.blocking;
  require(shape_.channels == 3 && layout.data.format_kind == dnnl_blocked && blocking.inner_nblks <= 1,
          "network {}: oneDNN asks for an unknown layout of pictures with {} channels", network.name,
          shape_.channels);
  image_stride_ = blocking.strides[0];
  row_stride_ = blocking.strides[2];
  column_stride_ = blocking.strides[3];
  const Normalisation& normalisation = network.normalisation;
  for (int channel = 0; channel < 3; ++channel) {
    // Three channels lie in one block.
    channel_offsets_[channel] = blocking.inner_nblks == 1 ? channel : channel * blocking.strides[1];
    for (int value = 0; value < 256; ++value)
      values_[channel][value] =
          (static_cast<float>(value) / 255 - normalisation.mean[channel]) / normalisation.deviation[channel];
  }
}

void PictureReader::read(std::span<const std::uint8_t> pictures, float* to) const {
  const int given = static_cast<int>(pictures.size() / shape_.count());
  for (int image = 0; image < given; ++image)
    read_picture(pictures.data() + image * shape_.count(), to + image * image_stride_);
  std::fill(to + given * image_stride_, to + images_ * image_stride_, 0.0F);
}

void PictureReader::read_picture(const std::uint8_t* picture, float* to) const {
  for (int y = 0; y < shape_.height; ++y)
    for (int x = 0; x < shape_.width; ++x)
      for (int channel = 0; channel < 3; ++channel, ++picture)
        to[y * row_stride_ + x * column_stride_ + channel_offsets_[channel]] = values_[channel][*picture];
}

}  // namespace whorl::nn::cpu
