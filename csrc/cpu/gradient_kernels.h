// The kernels that all families share, for one instruction set; gradient_kernels.cpp implements them.

#pragma once

#include <cstdint>

#include "cpu/instruction_set.h"
#include "stable/dtype.h"

namespace ebgan {

struct GradientKernels {
  // values[i] *= factor
  void (*scale)(Dtype dtype, void* values, int64_t elements, double factor);
};

EBGAN_KERNEL_TABLES(GradientKernels, kGradientKernels, gradient_kernels)

}  // namespace ebgan
