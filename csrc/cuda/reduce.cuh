// Sums over a warp, a thread block and a thread-block cluster, each in a fixed order, so that the same input gives
// the same bits.

#pragma once

#include <cooperative_groups.h>

#include <cstdint>

namespace ebgan::cuda {

constexpr int kWarp = 32;
constexpr int kMaxWarps = 32;
// The values that a sum needs in shared memory, a multiple of 8, so that vectors may follow.
constexpr int kScratch = kMaxWarps + 8;

// The sum over a warp. Every lane gets the same bits, because both partners of a step add the same two numbers.
template <typename A>
__device__ A warp_sum(A value) {
#pragma unroll
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(0xffffffffu, value, distance);
  }
  return value;
}

// The sum over a block of whole warps, for every thread. A barrier must stand between this and the next use of
// `scratch`.
template <typename A>
__device__ A block_sum(A value, A* scratch) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  value = warp_sum(value);
  if (lane == 0) scratch[warp] = value;
  __syncthreads();
  return warp_sum(lane < static_cast<int>(blockDim.x) / kWarp ? scratch[lane] : A(0));
}

// The sum over all blocks of a cluster, for every thread; `scratch` lies at the same place in each block. The
// blocks read each other's shared memory, so none may end before `leave_cluster`.
template <typename A>
__device__ A cluster_sum(A value, A* scratch) {
  value = block_sum(value, scratch);
#if __CUDA_ARCH__ >= 900
  const cooperative_groups::cluster_group cluster = cooperative_groups::this_cluster();
  const unsigned blocks = cluster.num_blocks();
  if (blocks > 1) {
    A* const shared_sum = scratch + kMaxWarps;
    if (threadIdx.x == 0) *shared_sum = value;
    cluster.sync();
    value = A(0);
    for (unsigned rank = 0; rank < blocks; ++rank) value += *cluster.map_shared_rank(shared_sum, rank);
    cluster.barrier_arrive();
  }
#endif
  return value;
}

__device__ inline void leave_cluster() {
#if __CUDA_ARCH__ >= 900
  const cooperative_groups::cluster_group cluster = cooperative_groups::this_cluster();
  if (cluster.num_blocks() > 1) cluster.barrier_wait();
#endif
}

// The most threads of add_parts.
constexpr int kAddThreads = 512;

// Adds the `parts` sums of each of `count` results, a block for each, and calls finish(index, total) with each total.
// There is one sum for thousands of terms, so adding them in float64 costs nothing.
template <typename A, typename Finish>
__global__ void __launch_bounds__(kAddThreads)
    add_parts(const A* const sums, const int64_t count, const int64_t parts,
              const __grid_constant__ Finish finish) {
  __shared__ double scratch[kScratch];
  for (int64_t index = blockIdx.x; index < count; index += gridDim.x) {
    double partial = 0;
    for (int64_t part = threadIdx.x; part < parts; part += blockDim.x) {
      partial += static_cast<double>(sums[index * parts + part]);
    }
    const double total = block_sum(partial, scratch);
    if (threadIdx.x == 0) finish(index, total);
    __syncthreads();
  }
}

}  // namespace ebgan::cuda
