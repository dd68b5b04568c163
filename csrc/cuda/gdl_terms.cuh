// Parts that the kernels of the gradient-difference family share: the shares, the terms of one pair and one element
// with their slopes, and values of any dtype, which are loaded first and converted later.

#pragma once

#include <cstdint>
#include <cstring>

#include "cuda/vector.cuh"
#include "operators/gdl.h"

namespace ebgan::cuda::gdl {

using namespace ebgan::gdl;

// The shares of their terms that one element, and one pair along each axis, add to the loss.
template <typename A>
struct Objective {
  bool has_elements = false;
  bool has_pairs = false;
  int p = 1;
  A alpha = 1;
  A element_share = 0;
  A axis_share[3] = {};  // the slowest axis first; in two dimensions the second is not used

  explicit Objective(const Terms& terms)
      : has_elements(terms.p != 0),
        has_pairs(terms.axes != 0),
        p(terms.p),
        alpha(static_cast<A>(terms.alpha)),
        element_share(static_cast<A>(terms.element_share)) {
    const double* const shares = terms.axis_shares;  // width, height, depth
    axis_share[0] = static_cast<A>(terms.axes == 3 ? shares[2] : shares[1]);
    axis_share[1] = static_cast<A>(terms.axes == 3 ? shares[1] : 0);
    axis_share[2] = static_cast<A>(shares[0]);
  }
  Objective() = default;

  // The loss of no terms: 0, or NaN for the infinite shares of a mean over nothing.
  A of_no_terms() const { return A(0) * (element_share + axis_share[0]); }
};

// Calls body.template operator()<exponent>() on the host, with the exponent that `alpha` is.
template <typename Body>
void with_exponent(double alpha, const Body& body) {
  switch (math::exponent_of(alpha)) {
    case math::Exponent::kOne:
      return body.template operator()<math::Exponent::kOne>();
    case math::Exponent::kTwo:
      return body.template operator()<math::Exponent::kTwo>();
    default:
      return body.template operator()<math::Exponent::kAny>();
  }
}

// The slope of a term by the prediction and, with kTarget, by the target. A pair's slope is that of its second
// element; the first has the negative.
template <typename A, bool kTarget>
struct Slope {
  A prediction = 0;
  A target = 0;

  __device__ __forceinline__ void add(A factor, const Slope& other) {
    prediction += factor * other.prediction;
    if constexpr (kTarget) target += factor * other.target;
  }
};

template <typename A, bool kTarget>
struct Term {
  A value = 0;
  Slope<A, kTarget> slope;
};

template <typename A>
struct Values {
  A prediction;
  A target;
};

template <math::Exponent exponent, bool kTarget, typename A>
__device__ __forceinline__ Term<A, kTarget> pair_term(const Values<A>& first, const Values<A>& second,
                                                      A alpha) {
  const A prediction_step = second.prediction - first.prediction;
  const A target_step = second.target - first.target;
  const A difference = math::step_difference(prediction_step, target_step);
  Term<A, kTarget> term = {math::power_term<exponent>(difference, alpha),
                           {math::step_slope<exponent>(difference, prediction_step, alpha)}};
  if constexpr (kTarget) {
    const A target_difference = math::step_difference(target_step, prediction_step);
    term.slope.target = math::step_slope<exponent>(target_difference, target_step, alpha);
  }
  return term;
}

template <math::Exponent exponent, bool kTarget, typename A>
__device__ __forceinline__ Term<A, kTarget> residual_term(A residual) {
  const A slope = math::power_slope<exponent>(residual, A(1));
  return {math::power_term<exponent>(residual, A(1)), {slope, -slope}};
}

template <bool kTarget, typename A>
__device__ __forceinline__ Term<A, kTarget> element_term(const Values<A>& values, int p) {
  const A residual = values.prediction - values.target;
  return p == 1 ? residual_term<math::Exponent::kOne, kTarget>(residual)
                : residual_term<math::Exponent::kTwo, kTarget>(residual);
}

// kWidth values as they lie in memory. They are converted when all loads are under way, because the switch on the
// dtype would make each load wait for the one before.
template <typename A, int kWidth>
struct Bits {
  Packed<A, kWidth> words;

  __device__ __forceinline__ void load(const void* data, Dtype dtype, int64_t index) {
    // All dtypes share one address: with an address for each, addresses alone made sm_100 spill (nvcc 13.0).
    const char* const address = static_cast<const char*>(data) + index * size_of(dtype);
    if constexpr (sizeof(A) == 4) {
      if (size_of(dtype) == 2) {
        const auto halves = *reinterpret_cast<const Packed<uint16_t, kWidth>*>(address);
        memcpy(&words, &halves, sizeof halves);
        return;
      }
    }
    words = *reinterpret_cast<const Packed<A, kWidth>*>(address);
  }

  __device__ __forceinline__ Packed<A, kWidth> values(Dtype dtype) const {
    Packed<A, kWidth> result;
    with_type<A>(dtype, [&]<typename T>() {
      Packed<T, kWidth> typed;
      memcpy(&typed, &words, sizeof typed);
      result = convert<A>(typed);
    });
    return result;
  }
};

}  // namespace ebgan::cuda::gdl
