// The operator that all families share on CUDA, which scales a gradient that the forward pass has computed.
//
//   scale_gradients_   M elements of b bytes: M b bytes read, M b written; nothing for each part whose scale is 1
//
// The device reads the scale, so the host waits for nothing. Memory is taken in storage order, whatever the layout.

#include <algorithm>
#include <cstdint>

#include "cuda/device.h"
#include "cuda/vector.cuh"
#include "operators/gradient.h"
#include "stable/cuda.h"

namespace ebgan::cuda::gradient {
namespace {

constexpr int kThreads = 256;
// The values that a block takes at a time, 32 for each thread; other sizes were not measured.
constexpr int kStretch = 8192;

// --- kernel --------------------------------------------------------------------------------------

template <typename A>
__global__ void __launch_bounds__(kThreads)
    scale_values(const Result gradient, const int64_t elements, const int64_t stretches, const int64_t parts,
                 const Incoming scales) {
  with_type<A>(gradient.dtype, [&]<typename T>() {
    for (int64_t item = blockIdx.x; item < parts * stretches; item += gridDim.x) {
      const int64_t part = item / stretches;
      const A factor = load_value<A>(scales.data, scales.dtype, part * scales.stride);
      if (factor == A(1)) continue;
      T* const of_part = static_cast<T*>(gradient.data) + part * elements;
      const uintptr_t past = reinterpret_cast<uintptr_t>(of_part) % kVectorBytes;
      const int aligned = static_cast<int>((kVectorBytes - past) % kVectorBytes / sizeof(T));
      const Range range = range_of_part(elements, item % stretches, kStretch, aligned);
      T* const stretch = of_part + range.origin;
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

// --- launcher ------------------------------------------------------------------------------------

struct CudaKernels {
  using Context = CudaContext;

  // There are no more blocks than the device can run at once, so that leaving at a scale of 1 takes no longer than a
  // launch. `elements` and `stretches` are those of a part.
  static void scale(const Context& cuda, const Result& gradient, int64_t elements, int64_t parts,
                    const Incoming& scales) {
    const int64_t stretches = ceil_div(elements, kStretch);
    const DeviceLimits& limits = device_limits(cuda.device());
    const int64_t resident = int64_t{limits.multiprocessors} * (limits.threads_per_multiprocessor / kThreads);
    with_accumulation(gradient.dtype, [&]<typename A>() {
      launch(scale_values<A>, LaunchShape{std::min(parts * stretches, resident), kThreads}, cuda.stream(),
             gradient, elements, stretches, parts, scales);
    });
  }
};

}  // namespace
}  // namespace ebgan::cuda::gradient

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CUDA, library) {
  ebgan::gradient::implement<ebgan::cuda::gradient::CudaKernels>(library);
}
