// The loss of energies and its gradient, mean f(E_real) + mean f([margin - E_fake]^+) or mean f(E), in one block.
//
// It reads N energies and writes N gradients where they are wanted; the cost is that of a launch.

#pragma once

#include <cstdint>

#include "cuda/device.h"
#include "cuda/energy_samples.cuh"
#include "cuda/reduce.cuh"

namespace ebgan::cuda::energy {

constexpr int kLossThreads = 512;

// Terms are added in float64, so that one block may add millions of them. The mean of no terms is 0 / 0 = NaN, as in
// torch.
template <typename A>
__global__ void __launch_bounds__(kLossThreads)
    loss_of_energies(const __grid_constant__ Groups groups, const Objective objective, A* const loss) {
  __shared__ double scratch[kScratch];
  const A margin = margin_of<A>(objective);
  double total = 0;
  for (int g = 0; g < groups.count; ++g) {
    const Energies& energies = groups.group[g];
    const A weight = A(1) / static_cast<A>(energies.count);
    double partial = 0;
    for (int64_t i = threadIdx.x; i < energies.count; i += blockDim.x) {
      const View<1>& values = energies.values;
      const A energy = load_value<A>(values.data, values.dtype, i * values.stride[0]);
      partial += static_cast<double>(math::loss_term(energies.term, objective.shaping, energy, margin));
      if (A* const gradient = static_cast<A*>(energies.gradient.data)) {
        gradient[i] = math::loss_slope(energies.term, objective.shaping, energy, margin) * weight;
      }
    }
    total += block_sum(partial, scratch) / static_cast<double>(energies.count);
    __syncthreads();
  }
  if (threadIdx.x == 0) *loss = static_cast<A>(total);
}

template <typename A>
void launch_loss(const Groups& groups, const Objective& objective, A* loss, cudaStream_t stream) {
  const int threads = threads_for(8 * std::max(groups.group[0].count, groups.group[1].count), kLossThreads);
  launch(loss_of_energies<A>, LaunchShape{1, threads}, stream, groups, objective, loss);
}

}  // namespace ebgan::cuda::energy
