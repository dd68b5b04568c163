// Operations on a scalar, or lane by lane on a vector type of the compiler; host and device, no torch.

#pragma once

#include <math.h>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "math/qualifiers.h"

namespace ebgan::math {

// The type of a comparison of two values: bool, or for vectors a vector of integers as wide as their lanes.
template <typename V>
using Comparison = decltype(V{} < V{});
template <typename V>
constexpr bool kIsVector = sizeof(Comparison<V>) != sizeof(bool);

// The sign of a value; sign(0) = sign(NaN) = 0, as in PyTorch.
template <typename V>
EBGAN_HOST_DEVICE V sign(V value) {
  const V zero{};
  const V one = zero + 1;
  return (value > 0 ? one : zero) - (value < 0 ? one : zero);
}

// |value|. For vectors it clears the sign bits, one instruction where comparing and choosing takes three.
template <typename V>
EBGAN_HOST_DEVICE V magnitude(V value) {
  if constexpr (kIsVector<V>) {
    using Bits = Comparison<V>;
    return (V)((Bits)value & ~(Bits)(-V{}));
  } else {
    return value < 0 ? -value : value;
  }
}

// The magnitude of `value` with the sign of `other`.
template <typename V>
EBGAN_HOST_DEVICE V with_sign_of(V other, V value) {
  if constexpr (kIsVector<V>) {
    using Bits = Comparison<V>;
    const Bits sign_bit = (Bits)(-V{});
#if defined(__AVX512F__)
    // This is one instruction; GCC 12 makes three of the expression below.
    if constexpr (sizeof(V) == 64) {
      return (V)_mm512_ternarylogic_epi64((__m512i)sign_bit, (__m512i)other, (__m512i)value, 0xca);
    }
#endif
    return (V)(((Bits)other & sign_bit) | ((Bits)value & ~sign_bit));
  } else {
    return copysign(value, other);
  }
}

template <typename V, typename Scalar>
EBGAN_HOST_DEVICE V power(V base, Scalar exponent) {
  if constexpr (kIsVector<V>) {
    for (unsigned lane = 0; lane < sizeof(V) / sizeof(Scalar); ++lane) {
      base[lane] = pow(base[lane], exponent);
    }
    return base;
  } else {
    return pow(base, exponent);
  }
}

}  // namespace ebgan::math
