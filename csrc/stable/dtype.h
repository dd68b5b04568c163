// The element types that an operator reads and writes. This file includes no torch header, so that the files
// compiled for each instruction set stay quick to compile.

#pragma once

namespace ebgan {

enum class Dtype : int { kFloat16, kBFloat16, kFloat32, kFloat64 };

// The dtype in which losses and energies are summed and returned: float64 for float64 input, else float32.
constexpr Dtype accumulation_dtype(Dtype dtype) {
  return dtype == Dtype::kFloat64 ? Dtype::kFloat64 : Dtype::kFloat32;
}

}  // namespace ebgan
