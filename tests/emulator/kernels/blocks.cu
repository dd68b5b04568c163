// Threads of a block, blocks of a cluster, shared memory and the order in which all run.

#include <cooperative_groups.h>

#include "launching.h"

using emulator::tests::launch;
using emulator::tests::launch_shaped;

namespace {

// --- blocks --------------------------------------------------------------------------------------

// The reverse of a block's numbers, through shared memory.
__global__ void reversed(const int* const from, int* const to) {
  __shared__ int shared[96];
  shared[threadIdx.x] = from[blockIdx.x * blockDim.x + threadIdx.x];
  __syncthreads();
  to[blockIdx.x * blockDim.x + threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

// Where each thread stands in the order in which they come; `count` is the next place.
__global__ void order(int* const count, int* const to) {
  to[blockIdx.x * blockDim.x + threadIdx.x] = atomicAdd(count, 1);
}

__global__ void waits_in_two_places() {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

__global__ void ends_in_front_of_a_barrier() {
  if (threadIdx.x == 40) return;
  __syncthreads();
}

// The block's barrier and the warp's wait for each other.
__global__ void deadlock() {
  if (threadIdx.x == 0) {
    __syncthreads();
  } else {
    __syncwarp();
    __syncthreads();
  }
}

// --- shared memory -------------------------------------------------------------------------------

// What nobody has written.
__global__ void unwritten(float* const to) {
  __shared__ float variable[2];
  extern __shared__ float dynamic[];
  to[0] = variable[1];
  to[1] = dynamic[1];
}

__global__ void much_static() {
  __shared__ char variable[49 * 1024];
  variable[threadIdx.x] = 0;
}

__global__ void dynamic_bytes(char* const to) {
  extern __shared__ char dynamic[];
  dynamic[0] = 'x';
  to[0] = dynamic[0];
}

// --- clusters ------------------------------------------------------------------------------------

// Every block of a cluster adds up the ranks' numbers.
__global__ void sum_over_ranks(const int* const from, int* const to) {
  __shared__ int shared;
  const cooperative_groups::cluster_group cluster = cooperative_groups::this_cluster();
  if (threadIdx.x == 0) shared = from[blockIdx.x];
  cluster.sync();
  int sum = 0;
  for (unsigned rank = 0; rank < cluster.num_blocks(); ++rank) {
    sum = 10 * sum + *cluster.map_shared_rank(&shared, rank);
  }
  if (threadIdx.x == 0) to[blockIdx.x] = sum + 1000000 * static_cast<int>(cluster.block_rank());
  cluster.sync();
}

__global__ void arrives_twice() {
  cooperative_groups::this_cluster().barrier_arrive();
  cooperative_groups::this_cluster().barrier_arrive();
}

__global__ void waits_without_arriving() { cooperative_groups::this_cluster().barrier_wait(); }

__global__ void reads_an_ended_block(int* const to) {
  __shared__ int shared;
  shared = 1;
  cooperative_groups::this_cluster().sync();
  to[blockIdx.x] = *cooperative_groups::this_cluster().map_shared_rank(&shared, 1 - blockIdx.x % 2);
}

__global__ void names_a_rank_that_is_not(int* const to) {
  __shared__ int shared;
  shared = 1;
  to[0] = *cooperative_groups::this_cluster().map_shared_rank(&shared, 2);
}

// --- not emulated --------------------------------------------------------------------------------

__global__ void takes_a_maximum(const bool takes, int* const to) {
  to[0] = 5;
  if (takes) atomicMax(to, 7);
}

}  // namespace

EMULATOR_TEST(run_reversed, (const int* from, int* to), launch(reversed, 2, 96, from, to))
EMULATOR_TEST(run_order, (int blocks, int threads, int* count, int* to),
              launch(order, static_cast<unsigned>(blocks), static_cast<unsigned>(threads), count, to))
EMULATOR_TEST(run_waits_in_two_places, (), launch(waits_in_two_places, 1, 64))
EMULATOR_TEST(run_ends_in_front_of_a_barrier, (), launch(ends_in_front_of_a_barrier, 1, 64))
EMULATOR_TEST(run_deadlock, (), launch(deadlock, 1, 32))
EMULATOR_TEST(run_unwritten, (float* to), launch_shaped(unwritten, {1, 1, 8}, to))
EMULATOR_TEST(run_much_static, (), launch(much_static, 1, 32))
EMULATOR_TEST(run_dynamic_bytes, (long bytes, char* to),
              launch_shaped(dynamic_bytes, {1, 1, static_cast<size_t>(bytes)}, to))
EMULATOR_TEST(allow_dynamic_bytes, (int bytes),
              if (cudaFuncSetAttribute(dynamic_bytes, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes) !=
                  cudaSuccess) throw std::runtime_error("not allowed"))
EMULATOR_TEST(run_sum_over_ranks, (int blocks, int cluster, const int* from, int* to),
              launch_shaped(sum_over_ranks, {static_cast<unsigned>(blocks), 32, 0, static_cast<unsigned>(cluster)},
                            from, to))
EMULATOR_TEST(run_arrives_twice, (), launch_shaped(arrives_twice, {2, 32, 0, 2}))
EMULATOR_TEST(run_waits_without_arriving, (), launch_shaped(waits_without_arriving, {2, 32, 0, 2}))
EMULATOR_TEST(run_reads_an_ended_block, (int* to), launch_shaped(reads_an_ended_block, {2, 1, 0, 2}, to))
EMULATOR_TEST(run_names_a_rank_that_is_not, (int* to), launch_shaped(names_a_rank_that_is_not, {2, 1, 0, 2}, to))
EMULATOR_TEST(run_takes_a_maximum, (int takes, int* to), launch(takes_a_maximum, 1, 1, takes != 0, to))
