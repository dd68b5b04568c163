// The operator that all families share, for either device: it scales gradients that a forward pass has computed.
//
//   scale              multiplies `parts` equal parts of dense memory by their scales; nothing for a scale of 1

#pragma once

#include <vector>

#include "stable/tensor.h"

namespace ebgan::gradient {

template <typename Kernels>
void scale_gradients(const std::vector<Tensor>& gradients, const Tensor& scale) {
  const typename Kernels::Context context(scale);
  const Incoming scales = incoming_of(scale, true, false);
  const int64_t parts = scale.numel();
  for (const Tensor& gradient : gradients) {
    if (gradient.numel() == 0) continue;
    Kernels::scale(context, result_of(context, gradient), gradient.numel() / parts, parts, scales);
  }
}

template <typename Kernels, typename Library>
void implement(Library& library) {
  library.impl("scale_gradients_", TORCH_BOX(&scale_gradients<Kernels>));
}

}  // namespace ebgan::gradient
