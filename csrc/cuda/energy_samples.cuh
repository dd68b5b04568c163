// Parts that the kernels of the energy family share: their batches, a sample's residuals and its coefficient.

#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/dtype.cuh"
#include "cuda/vector.cuh"
#include "operators/energy.h"

namespace ebgan::cuda::energy {

using namespace ebgan::energy;

template <typename A>
__device__ A margin_of(const Objective& objective) {
  const Source& margin = objective.margin;
  return margin.data == nullptr ? A(0) : load_value<A>(margin.data, margin.dtype, 0);
}

template <typename T>
__device__ const T* sample_of(const View<1>& images, int64_t sample) {
  return static_cast<const T*>(images.data) + sample * images.stride[0];
}

// A sample of one of the pairs. Gradients are packed, so its offset in them differs from its offset in the inputs.
template <typename A>
struct Sample {
  const Pair& pair;
  int64_t index;

  __device__ Sample(const Pairs& pairs, int64_t sample)
      : pair(pairs.pair[sample < pairs.pair[0].samples ? 0 : 1]),
        index(sample < pairs.pair[0].samples ? sample : sample - pairs.pair[0].samples) {}

  __device__ A energy() const { return static_cast<const A*>(pair.energy.data)[index]; }
  __device__ void set_energy(A sum, Distance distance) const {
    static_cast<A*>(pair.energy.data)[index] = math::energy_of_sum(distance, sum, pair.elements);
  }

  template <typename T>
  __device__ T* gradient(void* of_batch) const {
    return static_cast<T*>(of_batch) + index * pair.elements;
  }

  // Part `part` of the sample when it is cut into parts of `share` values.
  __device__ Range range(int64_t part, int share) const {
    return range_of_part(pair.elements, part, share, aligned_start());
  }

 private:
  __device__ static const void* at(const void* data, Dtype dtype, int64_t offset) {
    return static_cast<const char*>(data) + offset * size_of(dtype);
  }

  // The first of 8 indices at which all tensors in use are 16-byte aligned, or -1 if there is none. In a batch of odd
  // size most samples are misaligned, but usually all its tensors alike.
  __device__ int aligned_start() const {
    const View<1>& r = pair.reconstruction;
    const View<1>& t = pair.target;
    const int64_t packed = index * pair.elements;
    const void* const reconstruction = at(r.data, r.dtype, index * r.stride[0]);
    const void* const target = at(t.data, t.dtype, index * t.stride[0]);
    const void* const grad_reconstruction =
        pair.grad_reconstruction.data ? at(pair.grad_reconstruction.data, r.dtype, packed) : reconstruction;
    const void* const grad_target =
        pair.grad_target.data ? at(pair.grad_target.data, t.dtype, packed) : target;
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
__device__ __forceinline__ A term_of(Distance distance, A residual) {
  return distance == Distance::kL1 ? math::residual_term<Distance::kL1>(residual)
                                   : math::residual_term<Distance::kL2>(residual);
}

template <typename A>
__device__ __forceinline__ A direction_of(Distance distance, A residual) {
  return distance == Distance::kL1 ? math::direction<Distance::kL1>(residual)
                                   : math::direction<Distance::kL2>(residual);
}

// This thread's share of the sum of terms over a range; use<width>(j, residual) sees every residual. Each place of a
// vector has a sum of its own, so that sums are short and no addition waits for the one before.
template <Reuse reuse, typename A, typename Use>
__device__ A sum_of_terms(const Sample<A>& sample, const Range& range, Distance distance, const Use& use) {
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
__device__ A loss_coefficient(const Pair& pair, const Objective& objective, A energy, A grad_loss) {
  const A slope = math::loss_slope(pair.term, objective.shaping, energy, margin_of<A>(objective));
  if (pair.term == Term::kHinge && slope == A(0) && isfinite(energy)) return A(0);
  // The factor is computed in float64 and rounded once, because all elements of a sample share its error.
  const double scale = math::direction_scale(objective.distance, double{energy}, pair.elements);
  return static_cast<A>(double{grad_loss} * slope / static_cast<double>(pair.samples) * scale);
}

}  // namespace ebgan::cuda::energy
