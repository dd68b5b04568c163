// 128-bit loads and stores for any dtype, and the sweep of a thread block over a stretch of values, in vectors where
// every tensor is aligned and in single values in front of them and behind.

#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "cuda/dtype.cuh"

namespace ebgan::cuda {

constexpr int kVectorBytes = 16;
constexpr int kStep = 8;  // the width of every vector divides it

// Values in a vector when tensors of these types share a loop: the narrowest type fills 16 bytes. A wider one takes two
// loads, whose lanes lie 32 bytes apart: each touches all sectors of both, and the second finds them in the L1 cache.
// With the widest type filling 16 bytes, energies_and_gradients spills 8 bytes on sm_90 (nvcc 13.0).
template <typename T, typename... Others>
constexpr int kVectorWidth =
    kVectorWidth<T> > kVectorWidth<Others...> ? kVectorWidth<T> : kVectorWidth<Others...>;
template <typename T>
constexpr int kVectorWidth<T> = kVectorBytes / static_cast<int>(sizeof(T));

template <typename T, int kWidth>
struct alignas(sizeof(T) * kWidth < kVectorBytes ? sizeof(T) * kWidth : kVectorBytes) Packed {
  T value[kWidth];
};

// Whether data is read again. Data read for the last time leaves the caches first; data that a following kernel reads
// again should stay.
enum class Reuse { kNone, kLater };

template <int kWidth, Reuse reuse, typename T>
__device__ __forceinline__ Packed<T, kWidth> load(const T* from) {
  using Word = std::conditional_t<kWidth == 1, T, uint4>;
  Packed<T, kWidth> packed;
  Word* const words = reinterpret_cast<Word*>(&packed);
  const Word* const source = reinterpret_cast<const Word*>(from);
#pragma unroll
  for (int i = 0; i < static_cast<int>(sizeof(packed) / sizeof(Word)); ++i) {
    words[i] = reuse == Reuse::kNone ? __ldcs(source + i) : __ldg(source + i);
  }
  return packed;
}

// Stores a vector. A gradient is read by the very next kernel, so it is left to the caches.
template <typename T, int kWidth>
__device__ __forceinline__ void store(T* to, const Packed<T, kWidth>& packed) {
  *reinterpret_cast<Packed<T, kWidth>*>(to) = packed;
}

template <typename To, typename From, int kWidth>
__device__ __forceinline__ Packed<To, kWidth> convert(const Packed<From, kWidth>& packed) {
  Packed<To, kWidth> result;
#pragma unroll
  for (int k = 0; k < kWidth; ++k) result.value[k] = static_cast<To>(packed.value[k]);
  return result;
}

__device__ inline bool is_aligned(const void* data, Dtype dtype, int offset) {
  const uintptr_t address =
      reinterpret_cast<uintptr_t>(data) + static_cast<uintptr_t>(offset * size_of(dtype));
  return address % kVectorBytes == 0;
}

// A stretch of a longer run of values, with indices counted from `origin`: vectors in [0, vector_end), single
// values in [begin, 0) and [vector_end, end).
struct Range {
  int64_t origin;
  int begin;
  int vector_end;
  int end;
};

// Part `part` of `elements` values that are cut into stretches of `share`, a multiple of 8. `aligned` is the first
// of 8 indices at which all tensors are aligned, or -1 if there is none; values in front of it belong to part 0.
__device__ inline Range range_of_part(int64_t elements, int64_t part, int share, int aligned) {
  const int64_t start = (aligned > 0 ? aligned : 0) + part * share;
  Range range;
  range.origin = start < elements ? start : elements;
  range.begin = part == 0 ? -static_cast<int>(range.origin) : 0;
  range.end = static_cast<int>(elements - range.origin < share ? elements - range.origin : share);
  range.vector_end = aligned < 0 ? 0 : range.end - range.end % kStep;
  return range;
}

// The block's threads call use<width>(j, load<width>(j)) for all j of the range. Two vectors are under way in each
// thread before the first is used, to cover the latency of the memory with 16 warps in a block; other numbers were
// not measured.
template <int kWidth, typename Load, typename Use>
__device__ __forceinline__ void sweep(const Range& range, const Load& load, const Use& use) {
  constexpr int kInFlight = 2;
  const int stride = static_cast<int>(blockDim.x) * kWidth;
  int j = static_cast<int>(threadIdx.x) * kWidth;
  for (; j + (kInFlight - 1) * stride < range.vector_end; j += kInFlight * stride) {
    decltype(load.template operator()<kWidth>(0)) values[kInFlight];
#pragma unroll
    for (int i = 0; i < kInFlight; ++i) values[i] = load.template operator()<kWidth>(j + i * stride);
#pragma unroll
    for (int i = 0; i < kInFlight; ++i) use.template operator()<kWidth>(j + i * stride, values[i]);
  }
  if (j < range.vector_end) use.template operator()<kWidth>(j, load.template operator()<kWidth>(j));

  const int in_front = -range.begin;
  const int singles = in_front + range.end - range.vector_end;
#pragma unroll 4
  for (int i = static_cast<int>(threadIdx.x); i < singles; i += static_cast<int>(blockDim.x)) {
    const int k = i < in_front ? range.begin + i : range.vector_end + i - in_front;
    use.template operator()<1>(k, load.template operator()<1>(k));
  }
}

}  // namespace ebgan::cuda
