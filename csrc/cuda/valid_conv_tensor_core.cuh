// The instructions that the tensor-core kernels need: copies that pass no registers, loads of fragments from shared
// memory, and products of 16 x 8 tiles. A slice of the summed axis has 32 bytes, 16 elements of 2 bytes or 8 of 4
// (tf32).
//
// They exist from compute capability 8.0 on; older devices are never given these kernels.

#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <type_traits>

namespace ebgan::cuda::valid_conv {

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
#define EBGAN_TENSOR_CORES 1
#else
#define EBGAN_TENSOR_CORES 0
#endif

#if EBGAN_TENSOR_CORES

// The cache that keeps copied bytes: L1 for pixels, which the next taps read again, L2 for weights. A copy moves 16
// bytes, or where not `inside` writes zeros and reads nothing.
enum class Keep { kL1, kL2 };

template <Keep keep>
__device__ __forceinline__ void copy_async(uint4* to, const void* from, bool inside) {
  const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(to));
  const int bytes = inside ? 16 : 0;
  if constexpr (keep == Keep::kL1) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(bytes)
                 : "memory");
  } else {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(bytes)
                 : "memory");
  }
}

// Ends a stage, which holds the copies since the last one.
__device__ __forceinline__ void end_stage() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until at most kPending of this thread's stages are under way.
template <int kPending>
__device__ __forceinline__ void wait_for_stage() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

// Loads four 8 x 8 matrices of 2-byte elements; each lane names a row of 16 bytes.
__device__ __forceinline__ void load_matrices(uint32_t (&registers)[4], const uint4* row) {
  const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
               : "r"(address)
               : "memory");
}

__device__ __forceinline__ void load_transposed(uint32_t (&registers)[4], const uint4* row) {
  const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
               : "r"(address)
               : "memory");
}

// Rounds a float32 to the tf32 that the tensor cores read, to nearest; they themselves would cut off the last 13
// bits.
__device__ __forceinline__ uint32_t round_to_tf32(uint32_t bits) {
  uint32_t rounded;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(__uint_as_float(bits)));
  return rounded;
}

template <typename T>
__device__ __forceinline__ void round_fragment(uint32_t (&registers)[4]) {
  if constexpr (std::is_same_v<T, float>) {
#pragma unroll
    for (uint32_t& bits : registers) bits = round_to_tf32(bits);
  }
}

template <typename T>
__device__ __forceinline__ void multiply(float (&sums)[4], const uint32_t (&left)[4], uint32_t right_0,
                                         uint32_t right_1) {
#define EBGAN_MULTIPLY(instruction)                                                                      \
  asm("mma.sync.aligned." instruction " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])                                       \
      : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right_0), "r"(right_1))
  if constexpr (std::is_same_v<T, __half>) {
    EBGAN_MULTIPLY("m16n8k16.row.col.f32.f16.f16.f32");
  } else if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    EBGAN_MULTIPLY("m16n8k16.row.col.f32.bf16.bf16.f32");
  } else {
    EBGAN_MULTIPLY("m16n8k8.row.col.f32.tf32.tf32.f32");
  }
#undef EBGAN_MULTIPLY
}

#endif

}  // namespace ebgan::cuda::valid_conv
