// The limits of a device, which are asked once, and the launch of a kernel on it.

#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <mutex>

#include "stable/cuda.h"

namespace ebgan::cuda {

constexpr int kMaxDevices = 128;                                     // torch's own limit is 120
constexpr int64_t kMaxBlocks = std::numeric_limits<int32_t>::max();  // of grid.x

struct DeviceLimits {
  int multiprocessors;
  int threads_per_multiprocessor;
  int shared_per_block;       // bytes, after opting in
  int shared_for_two_blocks;  // bytes a block may take so that two share a multiprocessor
  int largest_cluster;        // thread blocks; 1 where the device has no clusters
};

inline int attribute(cudaDeviceAttr name, int device) {
  int value = 0;
  check_cuda(cudaDeviceGetAttribute(&value, name, device));
  return value;
}

inline const DeviceLimits& device_limits(int device) {
  static std::array<std::once_flag, kMaxDevices> asked;
  static std::array<DeviceLimits, kMaxDevices> limits;
  std::call_once(asked.at(device), [&] {
    limits[device] = {
        attribute(cudaDevAttrMultiProcessorCount, device),
        attribute(cudaDevAttrMaxThreadsPerMultiProcessor, device),
        attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
        attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor, device) / 2 -
            attribute(cudaDevAttrReservedSharedMemoryPerBlock, device),
        // Every device of compute capability 9.0 or later can run clusters of 8.
        attribute(cudaDevAttrComputeCapabilityMajor, device) >= 9 ? 8 : 1,
    };
  });
  return limits[device];
}

// The compute capability for which a kernel's code was compiled, 90 for 9.0; it is asked once. A newer device may run
// what the driver has compiled from PTX of an older one; such code lacks what is under #if __CUDA_ARCH__.
template <auto kernel>
int code_version(int device) {
  static std::array<std::once_flag, kMaxDevices> asked;
  static std::array<int, kMaxDevices> versions;
  std::call_once(asked.at(device), [&] {
    cudaFuncAttributes attributes;
    check_cuda(cudaFuncGetAttributes(&attributes, kernel));
    versions[device] = attributes.ptxVersion;
  });
  return versions[device];
}

__host__ __device__ constexpr int64_t ceil_div(int64_t value, int64_t divisor) {
  return (value + divisor - 1) / divisor;
}
constexpr int64_t round_up(int64_t value, int64_t multiple) { return ceil_div(value, multiple) * multiple; }

// The threads of a block for `values` values: whole warps, of at least eight values for each thread. Eight is kStep
// of vector.cuh; other grains were not measured.
inline int threads_for(int64_t values, int most) {
  return static_cast<int>(std::clamp<int64_t>(round_up(ceil_div(values, 8), 32), 64, most));
}

struct LaunchShape {
  int64_t blocks;
  int threads;
  int64_t shared_bytes = 0;
  int cluster = 1;
};

// A launch configuration with room for the one attribute to which it points.
struct LaunchConfiguration {
  cudaLaunchAttribute attribute = {};
  cudaLaunchConfig_t config = {};

  LaunchConfiguration(const LaunchShape& shape, cudaStream_t stream) {
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim.x = static_cast<unsigned>(shape.cluster);
    attribute.val.clusterDim.y = 1;
    attribute.val.clusterDim.z = 1;
    config.gridDim = dim3(static_cast<unsigned>(shape.blocks));
    config.blockDim = dim3(static_cast<unsigned>(shape.threads));
    config.dynamicSmemBytes = static_cast<size_t>(shape.shared_bytes);
    config.stream = stream;
    config.attrs = &attribute;
    config.numAttrs = shape.cluster > 1 ? 1 : 0;
  }
  LaunchConfiguration(const LaunchConfiguration&) = delete;
};

template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), const LaunchShape& shape, cudaStream_t stream,
            const Arguments&... arguments) {
  if (shape.blocks == 0) return;
  const LaunchConfiguration configuration(shape, stream);
  check_cuda(cudaLaunchKernelEx(&configuration.config, kernel, Parameters(arguments)...));
}

// Lets a kernel without static shared memory use all that a block may have. CUDA allows it during a capture, too.
template <auto kernel>
void allow_all_shared_memory(int device) {
  static std::array<std::once_flag, kMaxDevices> allowed;
  std::call_once(allowed.at(device), [&] {
    check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    device_limits(device).shared_per_block));
  });
}

// Whether the device can run a cluster of this shape at all; a small device may lack the room.
template <typename... Parameters>
bool cluster_fits(void (*kernel)(Parameters...), const LaunchShape& shape) {
  const LaunchConfiguration configuration(shape, nullptr);
  int clusters = 0;
  check_cuda(cudaOccupancyMaxActiveClusters(&clusters, kernel, &configuration.config));
  return clusters > 0;
}

}  // namespace ebgan::cuda
