// Parts that the kernels of the energy family share: their batches, a sample's residuals and its coefficient.

#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/dtype.cuh"
#include "cuda/vector.cuh"
#include "math/energy.h"
#include "stable/tensor.h"

namespace ebgan::cuda {

// Reconstructions, their targets and the results computed from them; A is float, or double for float64 input.
template <typename A>
struct Pair {
  Batch reconstruction;
  Batch target;
  void* grad_reconstruction = nullptr;  // packed samples of the input's dtype; null where not wanted
  void* grad_target = nullptr;
  A* energy = nullptr;
  math::Term term = math::Term::kEnergy;

  bool wants_gradient() const { return grad_reconstruction != nullptr || grad_target != nullptr; }
};

// The real and the fake pair of a discriminator loss, which one launch serves; elsewhere the second is empty.
template <typename A>
struct Pairs {
  Pair<A> pair[2] = {};

  int64_t samples() const { return pair[0].target.samples + pair[1].target.samples; }
  int64_t elements() const { return std::max(pair[0].target.elements, pair[1].target.elements); }
  bool wants_gradient() const { return pair[0].wants_gradient() || pair[1].wants_gradient(); }
};

struct Objective {
  math::Distance distance = math::Distance::kL2;
  math::Shaping shaping = math::Shaping::kIdentity;
  const void* margin = nullptr;  // one value on the device; null where no term is a hinge
  Dtype margin_dtype = Dtype::kFloat32;
};

template <typename A>
__device__ A margin_of(const Objective& objective) {
  return objective.margin == nullptr ? A(0) : load_value<A>(objective.margin, objective.margin_dtype, 0);
}

template <typename T>
__device__ const T* sample_of(const Batch& batch, int64_t sample) {
  return static_cast<const T*>(batch.data) + sample * batch.sample_stride;
}

// A sample of one of the pairs. Gradients are packed, so its offset in them differs from its offset in the inputs.
template <typename A>
struct Sample {
  const Pair<A>& pair;
  int64_t index;

  __device__ Sample(const Pairs<A>& pairs, int64_t sample)
      : pair(pairs.pair[sample < pairs.pair[0].target.samples ? 0 : 1]),
        index(sample < pairs.pair[0].target.samples ? sample : sample - pairs.pair[0].target.samples) {}

  template <typename T>
  __device__ T* gradient(void* of_batch) const {
    return static_cast<T*>(of_batch) + index * pair.target.elements;
  }

  // Part `part` of the sample when it is cut into parts of `share` values.
  __device__ Range range(int64_t part, int share) const {
    return range_of_part(pair.target.elements, part, share, aligned_start());
  }

 private:
  __device__ static const void* at(const void* data, Dtype dtype, int64_t offset) {
    return static_cast<const char*>(data) + offset * size_of(dtype);
  }

  // The first of 8 indices at which all tensors in use are 16-byte aligned, or -1 if there is none. In a batch of odd
  // size most samples are misaligned, but usually all its tensors alike.
  __device__ int aligned_start() const {
    const Batch& r = pair.reconstruction;
    const Batch& t = pair.target;
    const void* const reconstruction = at(r.data, r.dtype, index * r.sample_stride);
    const void* const target = at(t.data, t.dtype, index * t.sample_stride);
    const void* const grad_reconstruction =
        pair.grad_reconstruction ? at(pair.grad_reconstruction, r.dtype, index * t.elements) : reconstruction;
    const void* const grad_target =
        pair.grad_target ? at(pair.grad_target, t.dtype, index * t.elements) : target;
    for (int i = 0; i < kStep; ++i) {
      if (is_aligned(reconstruction, r.dtype, i) && is_aligned(target, t.dtype, i) &&
          is_aligned(grad_reconstruction, r.dtype, i) && is_aligned(grad_target, t.dtype, i)) {
        return i;
      }
    }
    return -1;
  }
};

// One vector of a pair as it lies in memory. It is converted only when it is used, so that loads do not wait for each
// other.
template <typename A, typename R, typename T, int kWidth>
struct PackedPair {
  Packed<R, kWidth> reconstruction;
  Packed<T, kWidth> target;

  __device__ Packed<A, kWidth> residual() const {
    Packed<A, kWidth> result;
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      result.value[k] = static_cast<A>(reconstruction.value[k]) - static_cast<A>(target.value[k]);
    }
    return result;
  }
};

template <Reuse reuse, typename A, typename R, typename T>
struct PairLoader {
  const R* reconstruction;
  const T* target;

  template <int kWidth>
  __device__ __forceinline__ PackedPair<A, R, T, kWidth> operator()(int j) const {
    return {load<kWidth, reuse>(reconstruction + j), load<kWidth, reuse>(target + j)};
  }
};

// The term of an element. The three distances of squares differ in the energy and its scale, not in their terms.
template <typename A>
__device__ __forceinline__ A term_of(math::Distance distance, A residual) {
  return distance == math::Distance::kL1 ? math::residual_term<math::Distance::kL1>(residual)
                                         : math::residual_term<math::Distance::kL2>(residual);
}

template <typename A>
__device__ __forceinline__ A direction_of(math::Distance distance, A residual) {
  return distance == math::Distance::kL1 ? math::direction<math::Distance::kL1>(residual)
                                         : math::direction<math::Distance::kL2>(residual);
}

// This thread's share of the sum of terms over a range; use<width>(j, residual) sees every residual. Each place of a
// vector has a sum of its own, so that sums are short and no addition waits for the one before.
template <Reuse reuse, typename A, typename Use>
__device__ A sum_of_terms(const Sample<A>& sample, const Range& range, math::Distance distance,
                          const Use& use) {
  A sums[kStep] = {};
  with_types<A>(sample.pair.reconstruction.dtype, sample.pair.target.dtype, [&]<typename R, typename T>() {
    const PairLoader<reuse, A, R, T> load_pair{
        sample_of<R>(sample.pair.reconstruction, sample.index) + range.origin,
        sample_of<T>(sample.pair.target, sample.index) + range.origin};
    const auto add = [&]<int kWidth>(int j, const PackedPair<A, R, T, kWidth>& values) {
      const Packed<A, kWidth> residual = values.residual();
#pragma unroll
      for (int k = 0; k < kWidth; ++k) sums[k] += term_of(distance, residual.value[k]);
      use.template operator()<kWidth>(j, residual);
    };
    sweep<kVectorWidth<R, T>>(range, load_pair, add);
  });
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// The coefficient of d loss / d reconstruction_j = coefficient * direction(r_j), for an incoming gradient of
// `grad_loss`. A fake sample beyond the margin gets 0 whatever comes in, as from PyTorch's relu; for an infinite
// energy the product is 0 * inf = NaN.
template <typename A>
__device__ A loss_coefficient(const Pair<A>& pair, const Objective& objective, A energy, A grad_loss) {
  const A slope = math::loss_slope(pair.term, objective.shaping, energy, margin_of<A>(objective));
  if (pair.term == math::Term::kHinge && slope == A(0) && isfinite(energy)) return A(0);
  // The factor is computed in float64 and rounded once, because all elements of a sample share its error.
  const double scale = math::direction_scale(objective.distance, double{energy}, pair.target.elements);
  return static_cast<A>(double{grad_loss} * slope / static_cast<double>(pair.target.samples) * scale);
}

}  // namespace ebgan::cuda
