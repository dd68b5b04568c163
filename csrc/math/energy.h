// Reconstruction energy, hinge and their derivatives for one element and one sample; host and device, no torch.
//
//   residual   r_j = reconstruction_j - target_j                              j = 1..D
//   energy     E = sqrt(sum r^2) | sum r^2 | sum r^2 / D | sum |r|            (l2 | squared_l2 | mse | l1)
//   hinge      h = [margin - E]^+
//   loss term  f(E) for a real sample or the generator, f(h) for a fake sample;  f(t) = t | t^2
//   gradient   d term / d reconstruction_j = slope * direction_scale * direction(r_j);  target: the negative
//
// Zhao, Mathieu, LeCun, "Energy-based Generative Adversarial Network", arXiv:1609.03126, section 2.

#pragma once

#include <math.h>
#include <stdint.h>

#include "math/vectors.h"

namespace ebgan::math {

// The integers are those of the operator schemas (ebgan_kernels/native/energy.py).
enum class Distance : int { kL2 = 0, kSquaredL2 = 1, kMse = 2, kL1 = 3 };
enum class Shaping : int { kIdentity = 0, kSquare = 1 };

// The term of the loss that a sample's energy makes: f(E), or f([margin - E]^+).
enum class Term : int { kEnergy = 0, kHinge = 1 };

// V is a scalar, or a vector type of the compiler.
template <Distance distance, typename V>
EBGAN_HOST_DEVICE V residual_term(V residual) {
  if constexpr (distance == Distance::kL1) {
    return magnitude(residual);
  } else {
    return residual * residual;
  }
}

template <typename T>
EBGAN_HOST_DEVICE T energy_of_sum(Distance distance, T sum, int64_t elements) {
  switch (distance) {
    case Distance::kL2:
      return sqrt(sum);
    case Distance::kMse:
      return sum / T(elements);
    default:
      return sum;
  }
}

// dE/dr_j is this factor times direction(r_j). The l2 norm has no derivative at zero; its sub-gradient 0 is
// used.
template <typename T>
EBGAN_HOST_DEVICE T direction_scale(Distance distance, T energy, int64_t elements) {
  switch (distance) {
    case Distance::kL2:
      return energy == T(0) ? T(0) : T(1) / energy;
    case Distance::kSquaredL2:
      return T(2);
    case Distance::kMse:
      return T(2) / T(elements);
    default:
      return T(1);
  }
}

template <Distance distance, typename V>
EBGAN_HOST_DEVICE V direction(V residual) {
  if constexpr (distance == Distance::kL1) {
    return sign(residual);
  } else {
    return residual;
  }
}

// [margin - energy]^+. The comparison is written so that NaN passes through unchanged, as in torch.relu.
template <typename T>
EBGAN_HOST_DEVICE T hinge(T margin, T energy) {
  const T gap = margin - energy;
  return gap <= T(0) ? T(0) : gap;
}

template <typename T>
EBGAN_HOST_DEVICE T shaped(Shaping shaping, T value) {
  return shaping == Shaping::kSquare ? value * value : value;
}

template <typename T>
EBGAN_HOST_DEVICE T loss_term(Term term, Shaping shaping, T energy, T margin) {
  return shaped(shaping, term == Term::kHinge ? hinge(margin, energy) : energy);
}

// The derivative of loss_term with respect to the energy.
template <typename T>
EBGAN_HOST_DEVICE T loss_slope(Term term, Shaping shaping, T energy, T margin) {
  if (term == Term::kEnergy) {
    return shaping == Shaping::kSquare ? T(2) * energy : T(1);
  }
  const T active = hinge(margin, energy);
  if (shaping == Shaping::kSquare) return T(-2) * active;
  return active == T(0) ? T(0) : T(-1);
}

}  // namespace ebgan::math
