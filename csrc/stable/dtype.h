// The element types an operator reads and writes; no torch header, so per-instruction-set files stay quick to
// compile.

#pragma once

namespace ebgan {

enum class Dtype : int { kFloat16, kBFloat16, kFloat32, kFloat64 };

// Losses and energies are summed and returned in float32, in float64 for float64 input.
constexpr Dtype accumulation_dtype(Dtype dtype) {
  return dtype == Dtype::kFloat64 ? Dtype::kFloat64 : Dtype::kFloat32;
}

}  // namespace ebgan
