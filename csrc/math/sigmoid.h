// The logistic function and its derivative; host and device, no torch.
//
//   e = exp(-|x|)    sigmoid(x) = 1 / (1 + e) for x >= 0, e / (1 + e) for x < 0    sigmoid'(x) = e / (1 + e)^2
//
// Nothing overflows, and the derivative has all its digits where 1 - sigmoid(x) would have lost them.
//
// V is a scalar, or a vector type of the compiler with lanes of type Scalar. exp of vectors is written out here,
// since the compilers' libraries do not have it for every width: with x = n ln 2 + r, |r| <= ln 2 / 2, it is 2^n
// times a polynomial in r, minimax in relative error (3e-9 in float32, 4e-18 in float64). The result is within 1
// unit in the last place.

#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "math/qualifiers.h"

namespace ebgan::math {

template <typename Scalar>
struct ExponentialTable;

// `shift` is a number whose last place is worth 1 and whose last digits are the exponent's bias: adding it rounds
// to an integer n, and leaves n + bias in the low bits of the sum. ln 2 is split so that n times its upper part is
// exact.
template <>
struct ExponentialTable<float> {
  using Bits = uint32_t;
  static constexpr int fraction_bits = 23;
  static constexpr float smallest = -87.0f;
  static constexpr float shift = 0x1.8p23f + 127;
  static constexpr float per_ln2 = 1.44269504f;
  static constexpr float ln2_upper = 0.693145751953125f;
  static constexpr float ln2_lower = 1.42860682031e-6f;
  static constexpr int terms = 5;
  // The coefficients of (exp(r) - 1 - r) / r^2, lowest power first.
  static constexpr float term[terms] = {0.4999999345f, 0.1666652063f, 0.0416683881f, 0.008368716853f,
                                        0.00138145956f};
};

template <>
struct ExponentialTable<double> {
  using Bits = uint64_t;
  static constexpr int fraction_bits = 52;
  static constexpr double smallest = -708.0;
  static constexpr double shift = 0x1.8p52 + 1023;
  static constexpr double per_ln2 = 1.442695040888963407;
  static constexpr double ln2_upper = 0x1.62e42fefa2p-1;
  static constexpr double ln2_lower = 7.371002565167798902e-13;
  static constexpr int terms = 10;
  static constexpr double term[terms] = {
      0.5000000000000010627,   0.16666666666666412522,    0.04166666666653015977,  0.0083333333334944638693,
      0.001388888894362984184, 0.00019841269506571106111, 0.000024801493099144012, 2.7557586382581074262e-6,
      2.763024830872524193e-7, 2.5000058349050144127e-8};
};

// exp(x) for lanes x <= 0; it is 0 where the result would be subnormal.
template <typename Scalar, typename V>
EBGAN_HOST_DEVICE V exponential_of_lanes(V x) {
  using Table = ExponentialTable<Scalar>;
  typedef typename Table::Bits Bits __attribute__((vector_size(sizeof(V))));
  const V shifted = x * Table::per_ln2 + Table::shift;
  const V n = shifted - Table::shift;
  const V r = (x - n * Table::ln2_upper) - n * Table::ln2_lower;
  V sum = V{} + Table::term[Table::terms - 1];
  for (int i = Table::terms - 2; i >= 0; --i) sum = sum * r + Table::term[i];
  const V result = sum * (r * r) + (r + 1);
  Bits bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits <<= Table::fraction_bits;
  V power;
  memcpy(&power, &bits, sizeof power);
  // The power of two is multiplied, not added to the exponent's bits, so that a NaN stays one.
  return x < Table::smallest ? V{} : result * power;
}

template <typename V>
struct Sigmoid {
  V value;
  V slope;
};

template <typename Scalar, typename V>
EBGAN_HOST_DEVICE Sigmoid<V> sigmoid(V x) {
  const V negative = x < 0 ? x : -x;
  V e;
  if constexpr (sizeof(V) == sizeof(Scalar)) {
    e = exp(negative);
  } else {
    e = exponential_of_lanes<Scalar>(negative);
  }
  const V inverse = 1 / (1 + e);
  const V small = e * inverse;
  return {x < 0 ? small : inverse, small * inverse};
}

}  // namespace ebgan::math
