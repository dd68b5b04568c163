// The step between two dense layers of a ladder network on CUDA: normalisation, noise, beta, gamma, activation.
// Formulas: math/ladder_layer.h; kernels and bytes: ladder_layer.cuh.

#include <initializer_list>
#include <optional>
#include <tuple>
#include <vector>

#include "cuda/device.h"
#include "cuda/ladder_layer.cuh"
#include "stable/cuda.h"
#include "stable/tensor.h"

namespace ebgan::cuda::ladder {
namespace {

using Optional = std::optional<Tensor>;

int64_t leading_axes(const Tensor& x) { return x.dim() - 3; }

LayerExtent extent_of(const Tensor& x) {
  LayerExtent extent = {1, x.size(-3), x.size(-2), x.size(-1)};
  for (int64_t axis = 0; axis < leading_axes(x); ++axis) extent.networks *= x.size(axis);
  return extent;
}

// The parts of a tensor (..., P, N, D), (..., P, D) or (..., D), with `axes` axes before the parts.
Parts parts_of(const Tensor& tensor, int64_t axes) {
  const int64_t more = tensor.dim() - axes;
  return {tensor.const_data_ptr(), dtype_of(tensor), axes > 0 ? tensor.stride(axes - 1) : 0,
          more > 1 ? tensor.stride(axes) : 0, more > 2 ? tensor.stride(axes + 1) : 0};
}

Parts parts_of(const Optional& tensor, int64_t axes) { return tensor ? parts_of(*tensor, axes) : Parts{}; }

// A buffer of no elements stands for a result that is not wanted.
ResultRows results_of(const Tensor& tensor) {
  return {tensor.numel() == 0 ? nullptr : tensor.mutable_data_ptr(), dtype_of(tensor)};
}

LayerInputs inputs_of(const Tensor& x, const Optional& noise, const Optional& beta, const Optional& gamma,
                      bool relu) {
  const int64_t axes = leading_axes(x);
  return {parts_of(x, axes), parts_of(noise, axes), parts_of(beta, axes), parts_of(gamma, axes), relu};
}

// Calls body.template operator()<A, kMixed>() for the types of x and of the tensors beside it.
template <typename Body>
void with_types(std::initializer_list<const Parts*> tensors, const Body& body) {
  bool mixed = false;
  for (const Parts* parts : tensors) {
    if (parts->dtype == Dtype::kFloat64) return body.template operator()<double, false>();
    mixed = mixed || parts->dtype != Dtype::kFloat32;
  }
  mixed ? body.template operator()<float, true>() : body.template operator()<float, false>();
}

// --- operators: schemas in ebgan_kernels/native/ladder.py ----------------------------------------

std::tuple<Tensor, Tensor, Tensor, Tensor> ladder_layer(const Tensor& x, const Optional& noise,
                                                        const Optional& beta, const Optional& gamma,
                                                        bool relu) {
  const CudaContext cuda(x);
  const LayerExtent extent = extent_of(x);
  const Dtype dtype = accumulation_dtype(dtype_of(x));
  std::vector<int64_t> of_parts(x.sizes().begin(), x.sizes().end() - 2);
  of_parts.push_back(extent.units);
  const Tensor z = packed_gradient(x, true);
  const Tensor h = packed_gradient(x, relu || beta || gamma);
  const Tensor mean = empty_contiguous(of_parts, dtype, x);
  const Tensor std = empty_contiguous(of_parts, dtype, x);
  const LayerInputs inputs = inputs_of(x, noise, beta, gamma, relu);
  const LayerResults results = {results_of(z), results_of(h), results_of(mean), results_of(std)};
  const LaunchShape shape = {extent.networks * extent.parts * extent.unit_tiles(), kTileThreads};
  with_types({&inputs.x, &inputs.noise, &inputs.beta, &inputs.gamma}, [&]<typename A, bool kMixed>() {
    launch(layer_forward<A, kMixed>, shape, cuda.stream(), inputs, extent, results);
  });
  return {z, h, mean, std};
}

std::tuple<Tensor, Tensor, Tensor> ladder_layer_backward(const Optional& grad_z, const Optional& grad_h,
                                                         const Optional& grad_mean, const Optional& grad_std,
                                                         const Tensor& x, const Optional& noise,
                                                         const Optional& beta, const Optional& gamma,
                                                         const Tensor& mean, const Tensor& std, bool relu,
                                                         bool need_x, bool need_beta, bool need_gamma) {
  const CudaContext cuda(x);
  const int64_t axes = leading_axes(x);
  const LayerExtent extent = extent_of(x);
  const Tensor grad_x = packed_gradient(x, need_x);
  const Tensor grad_beta = packed_gradient(beta ? *beta : x, need_beta);
  const Tensor grad_gamma = packed_gradient(gamma ? *gamma : x, need_gamma);
  const LayerInputs inputs = inputs_of(x, noise, beta, gamma, relu);
  const LayerGradients gradients = {
      parts_of(grad_z, axes), parts_of(grad_h, axes), parts_of(grad_mean, axes), parts_of(grad_std, axes),
      results_of(grad_x),     results_of(grad_beta),  results_of(grad_gamma)};
  const bool summed = need_beta || need_gamma;
  const int64_t turns = summed ? 1 : extent.parts;
  const LaunchShape shape = {extent.networks * turns * extent.unit_tiles(), kTileThreads};
  with_types({&inputs.x, &inputs.noise, &inputs.beta, &inputs.gamma, &gradients.z, &gradients.h},
             [&]<typename A, bool kMixed>() {
               launch(summed ? layer_backward<A, kMixed, true> : layer_backward<A, kMixed, false>, shape,
                      cuda.stream(), inputs, extent, parts_of(mean, axes), parts_of(std, axes), gradients);
             });
  return {grad_x, grad_beta, grad_gamma};
}

}  // namespace
}  // namespace ebgan::cuda::ladder

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CUDA, library) {
  library.impl("ladder_layer", TORCH_BOX(&ebgan::cuda::ladder::ladder_layer));
  library.impl("ladder_layer_backward", TORCH_BOX(&ebgan::cuda::ladder::ladder_layer_backward));
}
