// The combinator and the denoising cost of the ladder family for either device: what they are given, what they allocate
// and return. A device's Kernels compute. Schemas and layouts: ebgan_kernels/native/ladder.py; formulas:
// math/ladder.h.
//
//   combine              z_hat
//   combine_backward     the gradients of z, u and parameters, from `incoming` of z_hat
//   cost                 the cost of each network, and the gradients that are wanted
//   cost_backward        the gradients for incoming gradients of the costs

#pragma once

#include <tuple>
#include <utility>
#include <vector>

#include "math/ladder.h"
#include "stable/tensor.h"

namespace ebgan::ladder {

// z is (networks, rows, units); the networks are all its leading axes.
struct Extent {
  int64_t networks = 1;
  int64_t rows;
  int64_t units;

  int64_t elements() const { return rows * units; }  // of a network
};

// Strides from network to network and from row to row. A unit's own values are one row.
enum Axis : int { kNetwork, kRow };
using Rows = View<2>;

// The tensors of a call. The parameters have ten rows, mean and std one.
struct Layer {
  Extent extent;
  Rows z_clean;
  Rows z;
  Rows u;
  Rows incoming;
  Rows parameters;
  Rows mean;
  Rows std;
  Result z_hat;
  Result grad_z_clean;
  Result grad_z;
  Result grad_u;
  Result grad_parameters;
  Result grad_mean;
  Result grad_std;

  // Whether a gradient is wanted that is a sum over rows, and whether any is.
  bool wants_sums() const { return grad_parameters.data || grad_mean.data || grad_std.data; }
  bool wants_gradient() const { return grad_z_clean.data || grad_z.data || grad_u.data || wants_sums(); }
};

inline int64_t leading_axes(const Tensor& z) { return z.dim() - 2; }

inline Extent extent_of(const Tensor& z) {
  Extent extent = {1, z.size(-2), z.size(-1)};
  for (int64_t axis = 0; axis < leading_axes(z); ++axis) extent.networks *= z.size(axis);
  return extent;
}

// The rows of a tensor (..., N, D), or of (..., D) as one row, with `axes` leading axes.
inline Rows rows_of(const Tensor& tensor, int64_t axes) {
  const bool has_rows = tensor.dim() > axes + 1;
  return {source_of(tensor), {axes > 0 ? tensor.stride(axes - 1) : 0, has_rows ? tensor.stride(axes) : 0}};
}

// The layer of (z_clean, z, u, parameters, mean, std) and the gradients of each.
inline Layer layer_of(const std::vector<Tensor>& inputs, const std::vector<Result>& gradients) {
  const int64_t axes = leading_axes(inputs[1]);
  Layer layer;
  layer.extent = extent_of(inputs[1]);
  layer.z_clean = rows_of(inputs[0], axes);
  layer.z = rows_of(inputs[1], axes);
  layer.u = rows_of(inputs[2], axes);
  layer.parameters = rows_of(inputs[3], axes);
  layer.mean = rows_of(inputs[4], axes);
  layer.std = rows_of(inputs[5], axes);
  layer.grad_z_clean = gradients[0];
  layer.grad_z = gradients[1];
  layer.grad_u = gradients[2];
  layer.grad_parameters = gradients[3];
  layer.grad_mean = gradients[4];
  layer.grad_std = gradients[5];
  return layer;
}

inline Layer combinator_of(const Tensor& z, const Tensor& u, const Tensor& parameters) {
  Layer layer;
  layer.extent = extent_of(z);
  layer.z = rows_of(z, leading_axes(z));
  layer.u = rows_of(u, leading_axes(z));
  layer.parameters = rows_of(parameters, leading_axes(z));
  return layer;
}

// --- operators -----------------------------------------------------------------------------------

template <typename Kernels>
Tensor gaussian_combinator(const Tensor& z, const Tensor& u, const Tensor& parameters) {
  const typename Kernels::Context context(z);
  Tensor z_hat = empty_packed(z);
  Layer layer = combinator_of(z, u, parameters);
  layer.z_hat = result_of(context, z_hat);
  Kernels::combine(context, layer);
  return z_hat;
}

template <typename Kernels>
std::vector<Tensor> gaussian_combinator_backward(const Tensor& grad, const Tensor& z, const Tensor& u,
                                                 const Tensor& parameters, int64_t needed) {
  const typename Kernels::Context context(z);
  std::vector<Tensor> gradients = empty_gradients({z, u, parameters}, needed, empty_packed);
  const std::vector<Result> results = results_of(context, gradients, 3, needed);
  Layer layer = combinator_of(z, u, parameters);
  layer.incoming = rows_of(grad, leading_axes(z));
  layer.grad_z = results[0];
  layer.grad_u = results[1];
  layer.grad_parameters = results[2];
  Kernels::combine_backward(context, layer);
  return gradients;
}

template <typename Kernels>
std::tuple<Tensor, std::vector<Tensor>> ladder_denoising_cost(const Tensor& z_clean, const Tensor& z,
                                                              const Tensor& u, const Tensor& parameters,
                                                              const Tensor& mean, const Tensor& std,
                                                              int64_t needed) {
  const typename Kernels::Context context(z);
  const std::vector<Tensor> inputs = {z_clean, z, u, parameters, mean, std};
  Tensor cost =
      empty_contiguous({z.sizes().begin(), z.sizes().end() - 2}, accumulation_dtype(dtype_of(z)), z);
  std::vector<Tensor> gradients = empty_gradients(inputs, needed, empty_packed);
  Kernels::cost(context, layer_of(inputs, results_of(context, gradients, inputs.size(), needed)),
                result_of(context, cost));
  return {std::move(cost), std::move(gradients)};
}

template <typename Kernels>
void ladder_denoising_cost_backward(const std::vector<Tensor>& gradients, const Tensor& grad_cost,
                                    const Tensor& z_clean, const Tensor& z, const Tensor& u,
                                    const Tensor& parameters, const Tensor& mean, const Tensor& std,
                                    int64_t needed, bool filled) {
  const typename Kernels::Context context(z);
  const std::vector<Tensor> inputs = {z_clean, z, u, parameters, mean, std};
  Kernels::cost_backward(context, layer_of(inputs, results_of(context, gradients, inputs.size(), needed)),
                         incoming_of(grad_cost, true, filled));
}

template <typename Kernels, typename Library>
void implement(Library& library) {
  library.impl("gaussian_combinator", TORCH_BOX(&gaussian_combinator<Kernels>));
  library.impl("gaussian_combinator_backward", TORCH_BOX(&gaussian_combinator_backward<Kernels>));
  library.impl("ladder_denoising_cost", TORCH_BOX(&ladder_denoising_cost<Kernels>));
  library.impl("ladder_denoising_cost_backward_", TORCH_BOX(&ladder_denoising_cost_backward<Kernels>));
}

}  // namespace ebgan::ladder
