// What the energy family needs of an instruction set; implemented in energy_kernels.cpp.

#pragma once

#include <cstdint>

#include "cpu/instruction_set.h"
#include "math/energy.h"
#include "stable/dtype.h"

namespace ebgan {

// `elements` values of a pair, and where its gradients go; a null gradient is not wanted. `streamed`: so much is
// written that it will have left the caches before anyone reads it.
struct Span {
  const void* reconstruction;
  const void* target;
  void* grad_reconstruction;
  void* grad_target;
  int64_t elements;
  bool streamed;
};

struct EnergyKernels {
  // Sum over the span of the residual's terms: r^2, or |r| for l1.
  double (*sum)(math::Distance distance, Dtype reconstruction, Dtype target, const Span& span);
  // gradient_j = coefficient * direction(r_j), and its negative to the target.
  void (*gradient)(math::Distance distance, Dtype reconstruction, Dtype target, const Span& span,
                   double coefficient);
};

EBGAN_KERNEL_TABLES(EnergyKernels, kEnergyKernels, energy_kernels)

}  // namespace ebgan
