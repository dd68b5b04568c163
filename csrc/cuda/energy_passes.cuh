// Energies, and gradients from energies, in separate passes: for energies without a gradient, for a backward pass,
// and for samples too large for the one-pass kernel.
//
// Bytes for N samples of D elements in b-byte types: energies read 2 N D b; gradients read 2 N D b and write N D b
// for each one wanted. Samples are cut into parts of at most 8192 values, whose sums a second kernel adds in a fixed
// order. Other sizes of parts were not measured.

#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/device.h"
#include "cuda/energy_samples.cuh"
#include "cuda/reduce.cuh"

namespace ebgan::cuda::energy {

constexpr int kPassThreads = 256;
constexpr int kPartValues = 8192;
constexpr int kBlocksTogether = 3;  // on a multiprocessor at least, which bounds the registers of a thread

// --- kernels -------------------------------------------------------------------------------------

// Computes the sum of terms of each part of each sample, or the energy of a sample that is one part.
template <typename A>
__global__ void __launch_bounds__(kPassThreads, kBlocksTogether)
    sums_of_parts(const __grid_constant__ Pairs pairs, const Distance distance, const int64_t items,
                  const int64_t parts, const int share, A* const sums) {
  __shared__ A scratch[kScratch];
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const Sample<A> sample(pairs, item / parts);
    const Range range = sample.range(item % parts, share);
    const A partial = sum_of_terms<Reuse::kLater>(sample, range, distance,
                                                  []<int kWidth>(int, const Packed<A, kWidth>&) {});
    const A sum = block_sum(partial, scratch);
    if (threadIdx.x == 0) {
      if (parts == 1) {
        sample.set_energy(sum, distance);
      } else {
        sums[item] = sum;
      }
    }
    __syncthreads();
  }
}

template <typename A>
struct EnergyOfSum {
  Pairs pairs;
  Distance distance;

  __device__ void operator()(int64_t sample, double total) const {
    Sample<A>(pairs, sample).set_energy(static_cast<A>(total), distance);
  }
};

// Computes gradients from the energies. `of_energies` says that there is an incoming gradient for each energy.
template <typename A>
__global__ void __launch_bounds__(kPassThreads, kBlocksTogether)
    gradients_of_energies(const __grid_constant__ Pairs pairs, const Objective objective, const int64_t items,
                          const int64_t parts, const int share, const Incoming incoming,
                          const bool of_energies) {
  if (is_done<A>(incoming, 0)) return;
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const Sample<A> sample(pairs, item / parts);
    const Pair& pair = sample.pair;
    const Range range = sample.range(item % parts, share);
    const A energy = sample.energy();
    const A grad = incoming_at<A>(incoming, sample.index);
    const A factor = of_energies ? grad * math::direction_scale(objective.distance, energy, pair.elements)
                                 : loss_coefficient(pair, objective, energy, grad);
    // A finite energy has finite residuals, and 0 times those is 0, so nothing need be read.
    const bool all_zero = factor == A(0) && isfinite(energy);
    with_types<A>(pair.reconstruction.dtype, pair.target.dtype, [&]<typename R, typename T>() {
      R* const grad_reconstruction =
          pair.grad_reconstruction.data
              ? sample.template gradient<R>(pair.grad_reconstruction.data) + range.origin
              : nullptr;
      T* const grad_target =
          pair.grad_target.data ? sample.template gradient<T>(pair.grad_target.data) + range.origin : nullptr;
      const PairLoader<Reuse::kNone, A, R, T> load_pair{
          sample_of<R>(pair.reconstruction, sample.index) + range.origin,
          sample_of<T>(pair.target, sample.index) + range.origin};
      sweep<kVectorWidth<R, T>>(
          range,
          [&]<int kWidth>(int j) {
            return all_zero ? PackedPair<A, R, T, kWidth>{} : load_pair.template operator()<kWidth>(j);
          },
          [&]<int kWidth>(int j, const PackedPair<A, R, T, kWidth>& values) {
            Packed<A, kWidth> gradient = values.residual();
            Packed<A, kWidth> negative;
#pragma unroll
            for (int k = 0; k < kWidth; ++k) {
              gradient.value[k] = factor * direction_of(objective.distance, gradient.value[k]);
              negative.value[k] = -gradient.value[k];
            }
            if (grad_reconstruction) store(grad_reconstruction + j, convert<R>(gradient));
            if (grad_target) store(grad_target + j, convert<T>(negative));
          });
    });
  }
}

// --- launchers -----------------------------------------------------------------------------------

struct PassPlan {
  int64_t samples;
  int64_t parts;  // of a sample
  int share;      // values a part

  int64_t items() const { return samples * parts; }
  // The number of sums for which the energies need room.
  int64_t workspace() const { return parts == 1 ? 0 : items(); }
  int threads() const { return threads_for(share, kPassThreads); }
};

inline PassPlan plan_passes(const Pairs& pairs) {
  const int64_t parts = std::max<int64_t>(1, ceil_div(pairs.elements(), kPartValues));
  return {pairs.samples(), parts, static_cast<int>(round_up(ceil_div(pairs.elements(), parts), kStep))};
}

template <typename A>
void launch_energies(const Pairs& pairs, Distance distance, const PassPlan& plan, A* workspace,
                     cudaStream_t stream) {
  const LaunchShape every_part = {std::min(plan.items(), kMaxBlocks), plan.threads()};
  launch(sums_of_parts<A>, every_part, stream, pairs, distance, plan.items(), plan.parts, plan.share,
         workspace);
  if (plan.parts == 1) return;
  const LaunchShape every_sample = {std::min(plan.samples, kMaxBlocks), kPassThreads};
  const EnergyOfSum<A> finish = {pairs, distance};
  launch(add_parts<A, EnergyOfSum<A>>, every_sample, stream, workspace, plan.samples, plan.parts, finish);
}

// There are no more blocks than the device runs at once, so that leaving at an incoming gradient of 1 takes no longer
// than a launch.
template <typename A>
void launch_gradients(const Pairs& pairs, const Objective& objective, const Incoming& incoming,
                      bool of_energies, const PassPlan& plan, int multiprocessors, cudaStream_t stream) {
  if (!pairs.wants_gradient()) return;
  const int64_t resident = int64_t{multiprocessors} * (kBlocksTogether * kPassThreads / plan.threads());
  const LaunchShape shape = {std::min(plan.items(), resident), plan.threads()};
  launch(gradients_of_energies<A>, shape, stream, pairs, objective, plan.items(), plan.parts, plan.share,
         incoming, of_energies);
}

}  // namespace ebgan::cuda::energy
