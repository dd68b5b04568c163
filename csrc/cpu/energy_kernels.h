// The kernels of the energy family for one instruction set; energy_kernels.cpp implements them.

#pragma once

#include <cstdint>

#include "cpu/instruction_set.h"
#include "math/energy.h"
#include "stable/dtype.h"

namespace ebgan {

// `elements` values of a pair, and where its gradients go; a null gradient is not wanted. `streamed` says that so
// much is written that it leaves the caches before it is read.
struct Span {
  const void* reconstruction;
  const void* target;
  void* grad_reconstruction;
  void* grad_target;
  int64_t elements;
  bool streamed;
};

struct EnergyKernels {
  // Returns the sum of the residual's terms over the span: r^2, or |r| for l1.
  double (*sum)(math::Distance distance, Dtype reconstruction, Dtype target, const Span& span);
  // Writes gradient_j = coefficient * direction(r_j), and its negative for the target.
  void (*gradient)(math::Distance distance, Dtype reconstruction, Dtype target, const Span& span,
                   double coefficient);
};

EBGAN_KERNEL_TABLES(EnergyKernels, kEnergyKernels, energy_kernels)

}  // namespace ebgan
