// The gradient difference loss, the l_p loss and the 2 x 2 average, for one pair and one element; host and
// device, no torch.
//
//   element    |P - T|^p                                        prediction P, target T, p = 1 | 2
//   pair       ||d_a P| - |d_a T||^alpha,  d_a x = x[.., i + 1, ..] - x[.., i, ..] along a spatial axis a
//   loss       lp_weight * mean over elements + gdl_weight * sum over axes of (mean over the axis's own pairs)
//   gradient   d pair / d(dP) = slope(|dP| - |dT|) sign(dP),  slope(q) = alpha |q|^(alpha - 1) sign(q),
//              which dP passes on to P[i + 1] with factor 1, to P[i] with factor -1; T gets the same with P and T
//              exchanged
//   average    a 2 x 2 block of the finer level makes one element of the coarser
//
// V is a scalar or a vector type of the compiler with lanes of type Scalar; every operation here is defined for
// both. sign(0) = sign(NaN) = 0, as in PyTorch, and for alpha = 1 the slope is sign(q), which is 0 at a tie.
//
// Mathieu, Couprie, LeCun, "Deep multi-scale video prediction beyond mean square error", arXiv:1511.05440,
// section 3.

#pragma once

#include <stdint.h>

#include "math/vectors.h"

namespace ebgan::math {

// The exponents that have code of their own; alpha may be any real number from 1 on.
enum class Exponent : int { kAny = 0, kOne = 1, kTwo = 2 };

EBGAN_HOST_DEVICE Exponent exponent_of(double alpha) {
  return alpha == 1 ? Exponent::kOne : alpha == 2 ? Exponent::kTwo : Exponent::kAny;
}

// |value|^alpha. With alpha = p it is the term of an element whose residual is `value`.
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

// The derivative of |value|^alpha with respect to `value`.
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

// The q of a pair with the sign of `step`: q says by how much one image's step is larger than the other's. The
// pair's term is power_term of the result.
template <typename V>
EBGAN_HOST_DEVICE V step_difference(V step, V other) {
  return step - with_sign_of(step, other);
}

// The derivative of a pair's term by its step: the slope at step_difference(step, other), and 0 for a step of 0.
template <Exponent exponent, typename V, typename Scalar>
EBGAN_HOST_DEVICE V step_slope(V difference, V step, Scalar alpha) {
  if constexpr (exponent == Exponent::kOne && kIsVector<V>) {
    // This gives what the last line gives, in 4 instructions of AVX-512 beside the difference.
    const V zero{};
    const V signed_one = with_sign_of(difference, zero + 1);
    return ((step < 0 || step > 0) & (difference < 0 || difference > 0)) ? signed_one : zero;
  } else {
    return power_slope<exponent>(difference, alpha) * magnitude(sign(step));
  }
}

template <typename T>
EBGAN_HOST_DEVICE T average(T top_left, T top_right, T bottom_left, T bottom_right) {
  return ((top_left + top_right) + (bottom_left + bottom_right)) * T(0.25);
}

// The share of one element in a mean over `elements`, and of one pair in the mean over the pairs of an axis of
// `size`. A mean over nothing is NaN, an infinite share times a sum of 0.
EBGAN_HOST_DEVICE double element_share(double weight, int64_t elements) {
  return weight / static_cast<double>(elements);
}

EBGAN_HOST_DEVICE double axis_share(double weight, int64_t elements, int64_t size) {
  return weight / static_cast<double>(elements / size * (size - 1));
}

// The arguments p, alpha, lp_weight and gdl_weight of the operators' schemas.
struct Weights {
  int64_t p;
  double alpha;
  double lp_weight;
  double gdl_weight;
};

// The shares of a loss's terms. `axes` counts width, height and depth; it is 0 where the gradient difference is left
// out, and p is 0 where the l_p term is.
struct Terms {
  int p = 0;
  int axes = 0;
  double alpha = 1;
  double element_share = 0;
  double axis_shares[3] = {0, 0, 0};

  Terms scaled(double by) const {
    Terms terms = *this;
    terms.element_share *= by;
    for (double& share : terms.axis_shares) share *= by;
    return terms;
  }
  // The loss of no terms: 0, or NaN for the infinite shares of a mean over nothing.
  double of_nothing() const { return 0 * element_share + 0 * axis_shares[0]; }
};

// The terms of a mean over `elements`, or of their sum, over images of (width, height, depth).
inline Terms terms_of(const Weights& weights, const int64_t (&sizes)[3], int64_t elements, bool mean,
                      double scale) {
  Terms terms;
  terms.p = weights.lp_weight == 0 ? 0 : static_cast<int>(weights.p);
  terms.axes = weights.gdl_weight == 0 ? 0 : sizes[2] > 1 ? 3 : 2;
  terms.alpha = weights.alpha;
  const double lp_weight = scale * weights.lp_weight;
  const double gdl_weight = scale * weights.gdl_weight;
  if (terms.p != 0) terms.element_share = mean ? element_share(lp_weight, elements) : lp_weight;
  for (int axis = 0; axis < terms.axes; ++axis) {
    terms.axis_shares[axis] = mean ? axis_share(gdl_weight, elements, sizes[axis]) : gdl_weight;
  }
  return terms;
}

}  // namespace ebgan::math
