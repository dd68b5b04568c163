// What all families need of an instruction set; implemented in gradient_kernels.cpp.

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
