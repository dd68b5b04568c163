// gradient *= scale in place, over dense memory in storage order; where scale is 1 nothing is read or written.
//
// Bytes for M elements of b-byte type: M b read and M b written, or none.

#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/device.h"
#include "cuda/vector.cuh"

namespace ebgan::cuda {

constexpr int kScaleThreads = 256;
constexpr int kScaleValues = 8192;  // a block's stretch

template <typename A>
__global__ void __launch_bounds__(kScaleThreads)
    scale_values(void* const values, const Dtype dtype, const int64_t elements, const void* const scale,
                 const Dtype scale_dtype) {
  const A factor = load_value<A>(scale, scale_dtype, 0);
  if (factor == A(1)) return;
  with_type<A>(dtype, [&]<typename T>() {
    const uintptr_t past = reinterpret_cast<uintptr_t>(values) % kVectorBytes;
    const int aligned = static_cast<int>((kVectorBytes - past) % kVectorBytes / sizeof(T));
    const int64_t parts = ceil_div(elements, kScaleValues);
    for (int64_t part = blockIdx.x; part < parts; part += gridDim.x) {
      const Range range = range_of_part(elements, part, kScaleValues, aligned);
      T* const stretch = static_cast<T*>(values) + range.origin;
      sweep<kVectorWidth<T>>(
          range, [&]<int kWidth>(int j) { return load<kWidth, Reuse::kNone>(stretch + j); },
          [&]<int kWidth>(int j, const Packed<T, kWidth>& packed) {
            Packed<A, kWidth> scaled = convert<A>(packed);
#pragma unroll
            for (int k = 0; k < kWidth; ++k) scaled.value[k] *= factor;
            store(stretch + j, convert<T>(scaled));
          });
    }
  });
}

template <typename A>
void launch_scale(void* values, Dtype dtype, int64_t elements, const void* scale, Dtype scale_dtype,
                  int multiprocessors, cudaStream_t stream) {
  const int64_t resident = int64_t{multiprocessors} * (2048 / kScaleThreads);
  const LaunchShape shape = {std::min(ceil_div(elements, kScaleValues), resident), kScaleThreads};
  launch(scale_values<A>, shape, stream, values, dtype, elements, scale, scale_dtype);
}

}  // namespace ebgan::cuda
