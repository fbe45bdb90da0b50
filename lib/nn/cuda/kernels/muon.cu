// SPDX-License-Identifier: BSD-3-Clause
#include "nn/cuda/kernels/bodies/muon.hpp"

#include "nn/cuda/kernels/views.hpp"

namespace whorl::nn::cuda {

void muon_direction(const Muon& muon, Stream stream) {
  const MuonDirectionKernel kernel{.matrices = {muon.matrices},
                                   .parameters = {muon.parameters},
                                   .gradients = {muon.gradients},
                                   .buffer = in_out<float>(muon.buffer),
                                   .direction = {muon.direction},
                                   .partials = {muon.partials},
                                   .table = views(muon.table),
                                   .rule = muon.rule};
  launch("muon_direction", kernel, std::int64_t{muon.count} * muon_blocks, stream);
}

void muon_normalise(Storage storage, const Muon& muon, void* normalised, Stream stream) {
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    launch("muon_normalise",
           MuonNormaliseKernel<T>{{muon.matrices}, {muon.direction}, {muon.partials}, out<T>(normalised)},
           std::int64_t{muon.count} * muon_blocks, stream);
  });
}

void muon_polynomial(Storage storage, const MuonPolynomial& task, Stream stream) {
  const std::int64_t elements = std::int64_t{task.count} * task.side * task.side;
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    const MuonPolynomialKernel<T> kernel{.side = task.side,
                                         .elements = elements,
                                         .a = task.a,
                                         .b = task.b,
                                         .c = task.c,
                                         .gram = in<T>(task.gram),
                                         .square = in<T>(task.square),
                                         .polynomial = out<T>(task.polynomial)};
    launch_for_each("muon_polynomial", kernel, elements, stream);
  });
}

void muon_apply(Storage storage, const Muon& muon, const void* orthogonal, Stream stream) {
  with_type(storage, [&](auto type) {
    using T = decltype(type);
    const MuonApplyKernel<T> kernel{.matrices = {muon.matrices},
                                    .parameters = in_out<float>(muon.parameters),
                                    .partials = {muon.partials},
                                    .orthogonal = in<T>(orthogonal),
                                    .table = views(muon.table),
                                    .rule = muon.rule};
    launch("muon_apply", kernel, std::int64_t{muon.count} * muon_blocks, stream);
  });
}

}  // namespace whorl::nn::cuda
