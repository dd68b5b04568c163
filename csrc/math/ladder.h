// The Gaussian combinator of ladder networks and the denoising error, for one unit of one sample; host and
// device, no torch.
//
//   mu = a1 sigmoid(a2 u + a3) + a4 u + a5      v = a6 sigmoid(a7 u + a8) + a9 u + a10
//   z_hat = (z - mu) v + mu                     y = (z_hat - mean) / std            r = z_clean - y
//   cost = sum over samples and units of r^2, times a share
//
// With g = d cost / d z_hat:
//   dz = g v     dmu = g (1 - v)     dv = g (z - mu)     du = dmu (a1 a2 s1' + a4) + dv (a6 a7 s2' + a9)
//   da1..a5 = dmu (s1, a1 s1' u, a1 s1', u, 1)           da6..a10 = dv (s2, a6 s2' u, a6 s2', u, 1)
//   g = -2 share r / std     dz_clean = 2 share r        dmean = -g                 dstd = -g y
//
// V is a scalar, or a vector type of the compiler with lanes of type Scalar, one for each unit.
//
// Rasmus, Berglund, Honkala, Valpola, Raiko, "Semi-supervised learning with ladder networks", arXiv:1507.02672,
// section 4.

#pragma once

#include "math/qualifiers.h"
#include "math/sigmoid.h"

namespace ebgan::math {

constexpr int kCombinatorParameters = 10;

// The parameters a1 to a10 of a unit; a1 is a[0].
template <typename V>
struct Combinator {
  V a[kCombinatorParameters];
};

// The mu and v that follow from u; z_hat mixes z with mu in the ratio v to 1 - v.
template <typename V>
struct Mixture {
  Sigmoid<V> of_mu;
  Sigmoid<V> of_v;
  V mu;
  V v;

  EBGAN_HOST_DEVICE V denoised(V z) const { return (z - mu) * v + mu; }
};

template <typename Scalar, typename V>
EBGAN_HOST_DEVICE Mixture<V> mixture(const Combinator<V>& unit, V u) {
  const V(&a)[kCombinatorParameters] = unit.a;
  Mixture<V> result;
  result.of_mu = sigmoid<Scalar>(a[1] * u + a[2]);
  result.of_v = sigmoid<Scalar>(a[6] * u + a[7]);
  result.mu = a[0] * result.of_mu.value + (a[3] * u + a[4]);
  result.v = a[5] * result.of_v.value + (a[8] * u + a[9]);
  return result;
}

template <typename V>
struct CombinatorGradient {
  V z;
  V u;
};

// Returns the gradients of z and u for g = d loss / d z_hat, and adds those of the parameters to the ten `sums`.
template <typename V>
EBGAN_HOST_DEVICE CombinatorGradient<V> combinator_gradient(const Combinator<V>& unit,
                                                            const Mixture<V>& mixture, V z, V u, V g,
                                                            V* sums) {
  const V(&a)[kCombinatorParameters] = unit.a;
  const V grad_z = g * mixture.v;
  const V grad_mu = g - grad_z;
  const V grad_v = g * (z - mixture.mu);
  const V inside_mu = grad_mu * (a[0] * mixture.of_mu.slope);
  const V inside_v = grad_v * (a[5] * mixture.of_v.slope);
  sums[0] += grad_mu * mixture.of_mu.value;
  sums[1] += inside_mu * u;
  sums[2] += inside_mu;
  sums[3] += grad_mu * u;
  sums[4] += grad_mu;
  sums[5] += grad_v * mixture.of_v.value;
  sums[6] += inside_v * u;
  sums[7] += inside_v;
  sums[8] += grad_v * u;
  sums[9] += grad_v;
  return {grad_z, (inside_mu * a[1] + grad_mu * a[3]) + (inside_v * a[6] + grad_v * a[8])};
}

// The mean and standard deviation of a unit's clean activation.
template <typename V>
struct Standard {
  V mean;
  V inverse_std;
};

template <typename V>
EBGAN_HOST_DEVICE V standardised(const Standard<V>& unit, V z_hat) {
  return (z_hat - unit.mean) * unit.inverse_std;
}

}  // namespace ebgan::math
