// Kernels whose traffic can be told from reading them: test_counting.py states it, and the emulated device must count it.
//
// Each function launches one kernel; `blocks` blocks, one value a thread but where it says otherwise.

#include <cuda_runtime.h>

namespace known {
namespace {

constexpr int kThreads = 256;
constexpr int kTile = 32;

// Value i is read at offset + i * stride.
__global__ void copy(const float* from, float* to, int offset, int stride) {
  const int i = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  to[i] = from[offset + i * stride];
}

__global__ void exponentials(const float* from, float* to) {
  const int i = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  to[i] = static_cast<float>(exp(from[i]));
}

// A block reads a value of the block before and one of the block behind.
__global__ void add_neighbours(const float* from, float* to, int values) {
  const int i = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  float sum = 0;
  if (i > 0) sum += from[i - 1];
  if (i + 1 < values) sum += from[i + 1];
  to[i] = sum;
}

// Four values a thread, in one access each to global memory, shared memory, shared memory, global memory.
__global__ void copy_vectors(const float4* from, float4* to) {
  __shared__ float4 vectors[kThreads];
  const int i = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  vectors[threadIdx.x] = from[i];
  __syncthreads();
  to[i] = vectors[kThreads - 1 - threadIdx.x];
}

// Every tile of 32 x 32 is a block of 1024 threads.
__global__ void transpose_directly(const float* from, float* to, int side) {
  const int x = static_cast<int>(threadIdx.x % kTile), y = static_cast<int>(threadIdx.x / kTile);
  const int tiles = side / kTile;
  const int left = static_cast<int>(blockIdx.x) % tiles * kTile, top = static_cast<int>(blockIdx.x) / tiles * kTile;
  to[(left + x) * side + top + y] = from[(top + y) * side + left + x];
}

template <int kPadding>
__global__ void transpose(const float* from, float* to, int side) {
  __shared__ float tile[kTile * (kTile + kPadding)];
  const int x = static_cast<int>(threadIdx.x % kTile), y = static_cast<int>(threadIdx.x / kTile);
  const int tiles = side / kTile;
  const int left = static_cast<int>(blockIdx.x) % tiles * kTile, top = static_cast<int>(blockIdx.x) / tiles * kTile;
  tile[y * (kTile + kPadding) + x] = from[(top + y) * side + left + x];
  __syncthreads();
  to[(left + y) * side + top + x] = tile[x * (kTile + kPadding) + y];
}

// A barrier before each of the eight halvings, and one atomic addition a block.
__global__ void sum(const float* from, float* to) {
  __shared__ float sums[kThreads];
  const int lane = static_cast<int>(threadIdx.x);
  sums[lane] = from[blockIdx.x * kThreads + threadIdx.x];
  for (int half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (lane < half) sums[lane] += sums[lane + half];
  }
  if (lane == 0) atomicAdd(to, sums[0]);
}

template <typename... Parameters, typename... Arguments>
int launch(void (*kernel)(Parameters...), int blocks, int threads, Arguments... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(blocks));
  config.blockDim = dim3(static_cast<unsigned>(threads));
  return cudaLaunchKernelEx(&config, kernel, arguments...);
}

}  // namespace
}  // namespace known

#define KNOWN extern "C" __attribute__((visibility("default"))) int

KNOWN known_copy(const float* from, float* to, int blocks, int offset, int stride) {
  return known::launch(known::copy, blocks, known::kThreads, from, to, offset, stride);
}
KNOWN known_exponentials(const float* from, float* to, int blocks) {
  return known::launch(known::exponentials, blocks, known::kThreads, from, to);
}
KNOWN known_add_neighbours(const float* from, float* to, int blocks) {
  return known::launch(known::add_neighbours, blocks, known::kThreads, from, to, blocks * known::kThreads);
}
KNOWN known_copy_vectors(const float* from, float* to, int blocks) {
  return known::launch(known::copy_vectors, blocks, known::kThreads, reinterpret_cast<const float4*>(from),
                       reinterpret_cast<float4*>(to));
}
KNOWN known_transpose_directly(const float* from, float* to, int side) {
  return known::launch(known::transpose_directly, side * side / 1024, 1024, from, to, side);
}
KNOWN known_transpose_unpadded(const float* from, float* to, int side) {
  return known::launch(known::transpose<0>, side * side / 1024, 1024, from, to, side);
}
KNOWN known_transpose_padded(const float* from, float* to, int side) {
  return known::launch(known::transpose<1>, side * side / 1024, 1024, from, to, side);
}
KNOWN known_sum(const float* from, float* to, int blocks) {
  return known::launch(known::sum, blocks, known::kThreads, from, to);
}
