// The step between two dense layers of a ladder network, for one unit of one sample; host and device, no torch.
//
//   y = (x - mean) / std     z = y + noise     pre = gamma (z + beta)     h = pre, or max(pre, 0)
//
// mean and std = sqrt(variance + epsilon) are taken over the N samples of a part of the batch. With g_z, g_h, g_mean
// and g_std the gradients of the results, and d = g_h where h is pre, else 0:
//
//   dgamma = sum of d (z + beta)     dbeta = sum of d gamma     g = g_z + d gamma
//   dx = (g - (mean of g - std g_mean / N) - y (mean of g y - std g_std / N)) / std
//
// V is a scalar, or a vector type of the compiler with a lane for each unit.
//
// Rasmus, Berglund, Honkala, Valpola, Raiko, "Semi-supervised learning with ladder networks", arXiv:1507.02672,
// section 3.

#pragma once

#include "math/ladder.h"

namespace ebgan::math {

constexpr double kLayerEpsilon = 1e-10;

// A unit's statistics and its beta and gamma, which are 0 and 1 where the layer has none.
template <typename V>
struct LayerUnit {
  Standard<V> standard;
  V beta;
  V gamma;

  EBGAN_HOST_DEVICE V activation(V z, bool relu) const {
    const V pre = gamma * (z + beta);
    return relu ? (pre < 0 ? V{} : pre) : pre;
  }
};

// The gradient of z for g_z and g_h, and what one sample adds to the gradients of beta and gamma.
template <typename V>
struct LayerGradient {
  V z;
  V beta;
  V gamma;
};

template <typename V>
EBGAN_HOST_DEVICE LayerGradient<V> layer_gradient(const LayerUnit<V>& unit, V z, V grad_z, V grad_h,
                                                  bool relu) {
  const V shifted = z + unit.beta;
  const V pre = unit.gamma * shifted;
  const V d = relu ? (pre <= 0 ? V{} : grad_h) : grad_h;
  const V beta = d * unit.gamma;
  return {grad_z + beta, beta, d * shifted};
}

// The two means that are subtracted from a unit's g to give its dx.
template <typename V>
struct LayerMeans {
  V of_g;    // mean of g - std g_mean / N
  V of_g_y;  // mean of g y - std g_std / N
};

template <typename V>
EBGAN_HOST_DEVICE V layer_input_gradient(const LayerUnit<V>& unit, const LayerMeans<V>& means, V g, V y) {
  return (g - means.of_g - y * means.of_g_y) * unit.standard.inverse_std;
}

}  // namespace ebgan::math
