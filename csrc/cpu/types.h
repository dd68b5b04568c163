// The switch from a Dtype to a type of elements on the CPU. It is always inlined, since files are compiled for several
// instruction sets.

#pragma once

#include "math/half.h"
#include "stable/dtype.h"

namespace ebgan {

// Calls body.template operator()<Element>() with a type that is summed in float32.
template <typename Body>
EBGAN_HOST_DEVICE auto with_single(Dtype dtype, const Body& body) {
  if (dtype == Dtype::kFloat16) return body.template operator()<math::Float16>();
  if (dtype == Dtype::kBFloat16) return body.template operator()<math::BFloat16>();
  return body.template operator()<float>();
}

// The same for any type.
template <typename Body>
EBGAN_HOST_DEVICE auto with_type(Dtype dtype, const Body& body) {
  return dtype == Dtype::kFloat64 ? body.template operator()<double>() : with_single(dtype, body);
}

}  // namespace ebgan
