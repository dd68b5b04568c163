// Energies and gradients of a loss with every input read once: a sample's residual waits in shared memory until its
// energy is known.
//
// Bytes for N samples of D elements in b-byte types: 2 N D b read, N D b written for each gradient wanted, 4 N
// written for the energies. From compute capability 9.0 on a cluster of up to 8 thread blocks holds a sample, and
// the blocks exchange their partial sums through distributed shared memory.

#pragma once

#include <cstdint>

#include "cuda/device.h"
#include "cuda/energy_samples.cuh"
#include "cuda/reduce.cuh"

namespace ebgan::cuda::energy {

constexpr int kOnePassThreads = 512;

template <typename A>
__device__ A* dynamic_shared_memory() {
  extern __shared__ uint4 shared_memory[];
  return reinterpret_cast<A*>(shared_memory);
}

// Writes factor * direction(r_j) for the block's stretch of a sample, from the residuals in shared memory.
template <typename A>
__device__ void write_gradient(const Result& of_batch, const Sample<A>& sample, const Range& range,
                               const A* residuals, Distance distance, A factor) {
  if (of_batch.data == nullptr) return;
  with_type<A>(of_batch.dtype, [&]<typename G>() {
    G* const gradient = sample.template gradient<G>(of_batch.data) + range.origin;
    sweep<kVectorWidth<G>>(
        range, [&]<int kWidth>(int j) { return *reinterpret_cast<const Packed<A, kWidth>*>(residuals + j); },
        [&]<int kWidth>(int j, Packed<A, kWidth> values) {
#pragma unroll
          for (int k = 0; k < kWidth; ++k) values.value[k] = factor * direction_of(distance, values.value[k]);
          store(gradient + j, convert<G>(values));
        });
  });
}

// A cluster of `parts` blocks works on a sample; each block holds `share` residuals.
template <typename A>
__global__ void __launch_bounds__(kOnePassThreads, 2)
    energies_and_gradients(const __grid_constant__ Pairs pairs, const Objective objective, const int parts,
                           const int share) {
  A* const scratch = dynamic_shared_memory<A>();
  // Values in front of the first aligned one have negative indices, and their residuals lie in front of `residuals`.
  A* const residuals = scratch + kScratch + kStep;
  const int64_t part = blockIdx.x % parts;
  const Sample<A> sample(pairs, blockIdx.x / parts);
  const Pair& pair = sample.pair;
  const Range range = sample.range(part, share);

  const A partial = sum_of_terms<Reuse::kNone>(
      sample, range, objective.distance, [&]<int kWidth>(int j, const Packed<A, kWidth>& residual) {
        *reinterpret_cast<Packed<A, kWidth>*>(residuals + j) = residual;
      });
  const A sum = cluster_sum(partial, scratch);
  const A energy = math::energy_of_sum(objective.distance, sum, pair.elements);
  if (part == 0 && threadIdx.x == 0) static_cast<A*>(pair.energy.data)[sample.index] = energy;

  const A factor = loss_coefficient(pair, objective, energy, A(1));
  write_gradient(pair.grad_reconstruction, sample, range, residuals, objective.distance, factor);
  write_gradient(pair.grad_target, sample, range, residuals, objective.distance, -factor);
  leave_cluster();
}

// The spread of the samples over the device.
struct OnePassPlan {
  bool possible;
  int share;  // residuals that a block holds
  LaunchShape shape;
};

// Takes the smallest cluster whose blocks leave room for a second block beside them, and larger ones while there are
// fewer than two blocks for each multiprocessor and a block has more than 4096 values (two vectors of four for each
// of its 512 threads; the bound was not measured). Where not even the largest cluster leaves that room, a block may
// take all the shared memory there is.
template <typename A>
OnePassPlan plan_one_pass(const Pairs& pairs, int device) {
  const DeviceLimits& limits = device_limits(device);
  const int64_t samples = pairs.samples();
  const int64_t elements = pairs.elements();
  // Code compiled for an older device has no exchange between blocks, and would take a block's share for the whole
  // sum.
  const int largest_cluster =
      code_version<energies_and_gradients<A>>(device) >= 90 ? limits.largest_cluster : 1;
  int parts = 1;
  const auto share = [&] { return round_up(ceil_div(elements, parts), kStep); };
  const auto bytes = [&] { return (kScratch + kStep + share()) * static_cast<int64_t>(sizeof(A)); };
  const auto idle = [&] { return samples * parts < 2 * limits.multiprocessors && share() > 4096; };
  while (parts < largest_cluster && (bytes() > limits.shared_for_two_blocks || idle())) parts *= 2;

  const LaunchShape shape = {samples * parts, threads_for(share(), kOnePassThreads), bytes(), parts};
  OnePassPlan plan = {shape.shared_bytes <= limits.shared_per_block && shape.blocks <= kMaxBlocks, 0, shape};
  if (!plan.possible) return plan;
  plan.share = static_cast<int>(share());
  allow_all_shared_memory<energies_and_gradients<A>>(device);
  if (parts > 1 && shape.shared_bytes > limits.shared_for_two_blocks) {
    plan.possible = cluster_fits(energies_and_gradients<A>, shape);
  }
  return plan;
}

template <typename A>
void launch_one_pass(const Pairs& pairs, const Objective& objective, const OnePassPlan& plan,
                     cudaStream_t stream) {
  launch(energies_and_gradients<A>, plan.shape, stream, pairs, objective, plan.shape.cluster, plan.share);
}

}  // namespace ebgan::cuda::energy
