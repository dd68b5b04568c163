// The gradient difference loss, the l_p loss and the 2 x 2 average, for one pair and one element; host and
// device, no torch.
//
//   element    |P - T|^p                                        prediction P, target T, p = 1 | 2
//   pair       ||d_a P| - |d_a T||^alpha,  d_a x = x[.., i + 1, ..] - x[.., i, ..] along a spatial axis a
//   loss       lp_weight * mean over elements + gdl_weight * sum over axes of (mean over the axis's own pairs)
//   gradient   with q = |dP| - |dT|:  d pair / d(dP) =  slope(q) sign(dP),  slope(q) = alpha |q|^(alpha - 1) sign(q)
//                                     d pair / d(dT) = -slope(q) sign(dT)
//              and dP passes it on to P[i + 1] with factor 1, to P[i] with factor -1
//   average    a 2 x 2 block of the finer level makes one element of the coarser
//
// V is a scalar, or a vector of the compiler's whose lanes are Scalar: every operation here is defined for both.
// sign(0) = sign(NaN) = 0, as in PyTorch, and slope of alpha = 1 is sign(q): 0 at a tie.
//
// Mathieu, Couprie, LeCun, "Deep multi-scale video prediction beyond mean square error", arXiv:1511.05440,
// section 3.

#pragma once

#include <math.h>
#include <stdint.h>

#include "math/qualifiers.h"

namespace ebgan::math {

// Exponents with a form of their own; alpha may be any real number from 1 on.
enum class Exponent : int { kAny = 0, kOne = 1, kTwo = 2 };

EBGAN_HOST_DEVICE Exponent exponent_of(double alpha) {
  return alpha == 1 ? Exponent::kOne : alpha == 2 ? Exponent::kTwo : Exponent::kAny;
}

// What a comparison of two values is: bool, or of vectors a vector of integers as wide as their lanes.
template <typename V>
using Comparison = decltype(V{} < V{});
template <typename V>
constexpr bool kIsVector = sizeof(Comparison<V>) != sizeof(bool);

// Of vectors, the bits: one instruction, where comparing and choosing takes two or three.
template <typename V>
EBGAN_HOST_DEVICE V magnitude(V value) {
  if constexpr (kIsVector<V>) {
    return (V)((Comparison<V>)value & ~(Comparison<V>)(-V{}));
  } else {
    return value < 0 ? -value : value;
  }
}

template <typename V>
EBGAN_HOST_DEVICE V sign(V value) {
  const V zero{};
  const V one = zero + 1;
  return (value > 0 ? one : zero) - (value < 0 ? one : zero);
}

// sign(a) sign(b); of vectors, 1 with the sign bits of both, and 0 where one of them is 0 or NaN: 5 instructions,
// where two signs and their product take 11.
template <typename V>
EBGAN_HOST_DEVICE V sign_product(V a, V b) {
  if constexpr (kIsVector<V>) {
    using Bits = Comparison<V>;
    const V zero{};
    V product = (V)((((Bits)a ^ (Bits)b) & (Bits)(-zero)) | (Bits)(zero + 1));
    product = a < 0 || a > 0 ? product : zero;
    return b < 0 || b > 0 ? product : zero;
  } else {
    return sign(a) * sign(b);
  }
}

template <typename V, typename Scalar>
EBGAN_HOST_DEVICE V power(V base, Scalar exponent) {
  if constexpr (!kIsVector<V>) {
    return pow(base, exponent);
  } else {
    for (unsigned lane = 0; lane < sizeof(V) / sizeof(Scalar); ++lane) {
      base[lane] = pow(base[lane], exponent);
    }
    return base;
  }
}

// |value|^alpha; with alpha = p, the term of an element whose residual is `value`.
template <Exponent exponent, typename V, typename Scalar>
EBGAN_HOST_DEVICE V power_term(V value, Scalar alpha) {
  if constexpr (exponent == Exponent::kOne) {
    return magnitude(value);
  } else if constexpr (exponent == Exponent::kTwo) {
    return value * value;
  } else {
    return power(magnitude(value), alpha);
  }
}

// d |value|^alpha / d value.
template <Exponent exponent, typename V, typename Scalar>
EBGAN_HOST_DEVICE V power_slope(V value, Scalar alpha) {
  if constexpr (exponent == Exponent::kOne) {
    return sign(value);
  } else if constexpr (exponent == Exponent::kTwo) {
    return value + value;
  } else {
    return alpha * power(magnitude(value), alpha - 1) * sign(value);
  }
}

// q of a pair: by how much the prediction's step is larger than the target's.
template <typename V>
EBGAN_HOST_DEVICE V step_difference(V prediction_step, V target_step) {
  return magnitude(prediction_step) - magnitude(target_step);
}

// d pair / d(dP) with dP the step; with dT, the negative of d pair / d(dT).
template <Exponent exponent, typename V, typename Scalar>
EBGAN_HOST_DEVICE V step_slope(V q, V step, Scalar alpha) {
  if constexpr (exponent == Exponent::kOne) {
    return sign_product(q, step);
  } else {
    return power_slope<exponent>(q, alpha) * sign(step);
  }
}

template <typename T>
EBGAN_HOST_DEVICE T average(T top_left, T top_right, T bottom_left, T bottom_right) {
  return ((top_left + top_right) + (bottom_left + bottom_right)) * T(0.25);
}

// What one element adds to a mean over `elements`, and one pair to the mean over the pairs of an axis of
// `size`. The mean over nothing is NaN: an infinite share times a sum of 0.
EBGAN_HOST_DEVICE double element_share(double weight, int64_t elements) {
  return weight / static_cast<double>(elements);
}

EBGAN_HOST_DEVICE double axis_share(double weight, int64_t elements, int64_t size) {
  return weight / static_cast<double>(elements / size * (size - 1));
}

}  // namespace ebgan::math
