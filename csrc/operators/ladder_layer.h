// The step between two dense layers of a ladder network for either device: what it is given, what it allocates and
// returns. A device's Kernels compute. Schemas and layouts: ebgan_kernels/native/ladder.py; formulas:
// math/ladder_layer.h.
//
//   forward            z, h, mean and std
//   backward           the gradients of x, beta and gamma

#pragma once

#include <optional>
#include <vector>

#include "stable/tensor.h"

namespace ebgan::ladder_layer {

// x is (networks, parts, rows, units); the networks are all its axes before the parts.
struct Extent {
  int64_t networks = 1;
  int64_t parts;
  int64_t rows;
  int64_t units;
};

// Strides from network to network, from part to part and from row to row.
enum Axis : int { kNetwork, kPart, kRow };
using Parts = View<3>;

struct Inputs {
  Extent extent;
  Parts x;
  Parts noise;  // no data for those that are not given
  Parts beta;
  Parts gamma;
  bool relu;
};

// mean and std have one row for each part; h has no data where it equals z.
struct Outputs {
  Result z;
  Result h;
  Result mean;
  Result std;
};

// The gradients of the outputs, without data where they are 0; and those of the inputs that are wanted.
struct Gradients {
  Parts z;
  Parts h;
  Parts mean;
  Parts std;
  Result x;
  Result beta;
  Result gamma;

  bool wants_sums() const { return beta.data || gamma.data; }
};

using Optional = std::optional<Tensor>;

// A tensor (..., P, N, D), (..., P, D) or (..., D), with `axes` axes before the parts.
inline Parts parts_of(const Optional& tensor, int64_t axes) {
  if (!tensor) return {};
  const int64_t more = tensor->dim() - axes;
  return {source_of(*tensor),
          {axes > 0 ? tensor->stride(axes - 1) : 0, more > 1 ? tensor->stride(axes) : 0,
           more > 2 ? tensor->stride(axes + 1) : 0}};
}

inline Inputs inputs_of(const Tensor& x, const Optional& noise, const Optional& beta, const Optional& gamma,
                        bool relu) {
  const int64_t axes = x.dim() - 3;
  Inputs inputs = {{1, x.size(-3), x.size(-2), x.size(-1)},
                   parts_of(x, axes),
                   parts_of(noise, axes),
                   parts_of(beta, axes),
                   parts_of(gamma, axes),
                   relu};
  for (int64_t axis = 0; axis < axes; ++axis) inputs.extent.networks *= x.size(axis);
  return inputs;
}

// --- operators -----------------------------------------------------------------------------------

// Returns z, mean and std, and h where it differs from z.
template <typename Kernels>
std::vector<Tensor> ladder_layer(const Tensor& x, const Optional& noise, const Optional& beta,
                                 const Optional& gamma, bool relu) {
  const typename Kernels::Context context(x);
  const Dtype dtype = accumulation_dtype(dtype_of(x));
  std::vector<int64_t> of_parts(x.sizes().begin(), x.sizes().end() - 2);
  of_parts.push_back(x.size(-1));
  std::vector<Tensor> tensors = {empty_packed(x), empty_contiguous(of_parts, dtype, x),
                                 empty_contiguous(of_parts, dtype, x)};
  if (relu || beta || gamma) tensors.push_back(empty_packed(x));

  Outputs outputs;
  outputs.z = result_of(context, tensors[0]);
  outputs.mean = result_of(context, tensors[1]);
  outputs.std = result_of(context, tensors[2]);
  if (tensors.size() == 4) outputs.h = result_of(context, tensors[3]);
  Kernels::forward(context, inputs_of(x, noise, beta, gamma, relu), outputs);
  return tensors;
}

template <typename Kernels>
std::vector<Tensor> ladder_layer_backward(const Optional& grad_z, const Optional& grad_h,
                                          const Optional& grad_mean, const Optional& grad_std,
                                          const Tensor& x, const Optional& noise, const Optional& beta,
                                          const Optional& gamma, const Tensor& mean, const Tensor& std,
                                          bool relu, int64_t needed) {
  const typename Kernels::Context context(x);
  const int64_t axes = x.dim() - 3;
  std::vector<Tensor> tensors =
      empty_gradients({x, beta.value_or(x), gamma.value_or(x)}, needed, empty_packed);
  const std::vector<Result> results = results_of(context, tensors, 3, needed);
  Gradients gradients;
  gradients.z = parts_of(grad_z, axes);
  gradients.h = parts_of(grad_h, axes);
  gradients.mean = parts_of(grad_mean, axes);
  gradients.std = parts_of(grad_std, axes);
  gradients.x = results[0];
  gradients.beta = results[1];
  gradients.gamma = results[2];
  Kernels::backward(context, inputs_of(x, noise, beta, gamma, relu), parts_of(mean, axes),
                    parts_of(std, axes), gradients);
  return tensors;
}

template <typename Kernels, typename Library>
void implement(Library& library) {
  library.impl("ladder_layer", TORCH_BOX(&ladder_layer<Kernels>));
  library.impl("ladder_layer_backward", TORCH_BOX(&ladder_layer_backward<Kernels>));
}

}  // namespace ebgan::ladder_layer
