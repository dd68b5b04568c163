// PTX instructions, a warp each: copies, fragments, products, roundings.

#include "launching.h"

using emulator::tests::launch;

namespace {

__device__ unsigned in_shared(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

// --- cp.async ------------------------------------------------------------------------------------

// Two groups of a vector each; `left` of them may be under way when the thread reads both. `bytes` of 16 are read.
__global__ void copies(const uint4* const from, const int left, const int bytes, uint4* const to) {
  __shared__ uint4 shared[2];
  for (int i = 0; i < 2; ++i) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 16, %2;" ::"r"(in_shared(shared + i)), "l"(from + i), "r"(bytes)
                 : "memory");
    asm volatile("cp.async.commit_group;" ::: "memory");
  }
  if (left == 1) asm volatile("cp.async.wait_group %0;" ::"n"(1) : "memory");
  if (left == 0) asm volatile("cp.async.wait_group 0;" ::: "memory");
  to[0] = shared[0];
  to[1] = shared[1];
}

__global__ void misaligned_copy(const char* const from) {
  __shared__ uint4 shared[1];
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(in_shared(shared)), "l"(from + 4), "r"(16)
               : "memory");
}

__global__ void misaligned_load(const char* const from, uint4* const to) {
  to[0] = __ldg(reinterpret_cast<const uint4*>(from + 4));
}

// --- fragments -----------------------------------------------------------------------------------

// Four matrices of 8 x 8 numbers of two bytes, one behind the other; each lane names the row of its own number.
template <bool kTransposed>
__global__ void matrices(const uint16_t* const from, unsigned* const to) {
  alignas(16) __shared__ uint16_t shared[4 * 64];
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < 4 * 64; i += 32) shared[i] = from[i];
  __syncwarp();
  unsigned registers[4];
  if constexpr (kTransposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                 : "r"(in_shared(shared + 8 * lane))
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                 : "r"(in_shared(shared + 8 * lane))
                 : "memory");
  }
  for (int i = 0; i < 4; ++i) to[4 * lane + i] = registers[i];
}

__global__ void misaligned_row() {
  alignas(16) __shared__ uint16_t shared[4 * 64 + 8];
  unsigned registers[4];
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
               : "r"(in_shared(shared + 8 * threadIdx.x + (threadIdx.x == 3 ? 1 : 0)))
               : "memory");
}

// A lane's registers of both factors and of the sums, as the test has laid them out; sums are added to.
#define MULTIPLY(instruction)                                                                              \
  asm("mma.sync.aligned." instruction " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"   \
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])                                         \
      : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right[0]), "r"(right[1]))
__global__ void products(const int kind, const unsigned* const lefts, const unsigned* const rights, float* const all) {
  const unsigned* const left = lefts + 4 * threadIdx.x;
  const unsigned* const right = rights + 2 * threadIdx.x;
  float* const sums = all + 4 * threadIdx.x;
  if (kind == 0) MULTIPLY("m16n8k16.row.col.f32.f16.f16.f32");
  if (kind == 1) MULTIPLY("m16n8k16.row.col.f32.bf16.bf16.f32");
  if (kind == 2) MULTIPLY("m16n8k8.row.col.f32.tf32.tf32.f32");
}

__global__ void rounded(const int count, const float* const from, unsigned* const to) {
  for (int i = 0; i < count; ++i) asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(to[i]) : "f"(from[i]));
}

// --- not emulated, and mistakes --------------------------------------------------------------------

__global__ void unknown(const bool runs, int* const to) {
  to[0] = 1;
  if (runs) asm volatile("prefetch.global.L2 [%0];" ::"l"(to));
}

__global__ void writes_an_input(unsigned* const to) {
  asm volatile("cvt.rna.tf32.f32 %0, %1;" ::"r"(to[0]), "f"(1.0f));
}

__global__ void reads_an_output(unsigned* const to) {
  asm volatile("cvt.rna.tf32.f32 %0, %0;" : "=r"(to[0]));
}

__global__ void names_no_operand(unsigned* const to) {
  asm volatile("cvt.rna.tf32.f32 %0, %1;" : "=r"(to[0]));
}

}  // namespace

EMULATOR_TEST(run_copies, (const uint4* from, int left, int bytes, uint4* to),
              launch(copies, 1, 1, from, left, bytes, to))
EMULATOR_TEST(run_misaligned_copy, (const char* from), launch(misaligned_copy, 1, 1, from))
EMULATOR_TEST(run_misaligned_load, (const char* from, uint4* to), launch(misaligned_load, 1, 1, from, to))
EMULATOR_TEST(run_matrices, (const uint16_t* from, unsigned* to), launch(matrices<false>, 1, 32, from, to))
EMULATOR_TEST(run_transposed_matrices, (const uint16_t* from, unsigned* to), launch(matrices<true>, 1, 32, from, to))
EMULATOR_TEST(run_misaligned_row, (), launch(misaligned_row, 1, 32))
EMULATOR_TEST(run_products, (int kind, const unsigned* left, const unsigned* right, float* sums),
              launch(products, 1, 32, kind, left, right, sums))
EMULATOR_TEST(run_rounded, (int count, const float* from, unsigned* to), launch(rounded, 1, 1, count, from, to))
EMULATOR_TEST(run_unknown, (int runs, int* to), launch(unknown, 1, 1, runs != 0, to))
EMULATOR_TEST(run_writes_an_input, (unsigned* to), launch(writes_an_input, 1, 1, to))
EMULATOR_TEST(run_reads_an_output, (unsigned* to), launch(reads_an_output, 1, 1, to))
EMULATOR_TEST(run_names_no_operand, (unsigned* to), launch(names_no_operand, 1, 1, to))
