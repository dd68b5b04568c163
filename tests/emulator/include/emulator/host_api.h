// The part of the CUDA runtime's host interface that the library uses: devices, attributes, launches.

#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>

#include "emulator/thread.h"

using cudaStream_t = void*;

enum cudaError_t : int {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInvalidClusterSize = 912,
};

enum cudaDeviceAttr {
  cudaDevAttrMultiProcessorCount,
  cudaDevAttrMaxSharedMemoryPerBlockOptin,
  cudaDevAttrMaxSharedMemoryPerMultiprocessor,
  cudaDevAttrReservedSharedMemoryPerBlock,
  cudaDevAttrMaxThreadsPerMultiProcessor,
  cudaDevAttrComputeCapabilityMajor,
  cudaDevAttrComputeCapabilityMinor,
};
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
enum cudaLaunchAttributeID { cudaLaunchAttributeClusterDimension };

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct cudaLaunchAttribute {
  cudaLaunchAttributeID id;
  struct {
    struct {
      unsigned x, y, z;
    } clusterDim;
  } val;
};
struct cudaLaunchConfig_t {
  dim3 gridDim;
  dim3 blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
  cudaLaunchAttribute* attrs;
  unsigned numAttrs;
};
struct cudaFuncAttributes {
  int ptxVersion;
  int binaryVersion;
};

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device);
const char* cudaGetErrorString(cudaError_t error);

namespace emulator {

// A kernel with its arguments bound.
struct Kernel {
  const void* address;
  void (*call)(const void* arguments);
  const void* arguments;
  size_t argument_bytes;
};

cudaError_t run(const cudaLaunchConfig_t& config, const Kernel& kernel);
cudaError_t allow_dynamic_shared(const void* kernel, cudaFuncAttribute attribute, int value);
cudaError_t most_active_clusters(int* clusters, const cudaLaunchConfig_t& config);
int device_in_use();  // the number of the emulated device that a launch goes to

}  // namespace emulator

template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  struct Bound {
    void (*kernel)(Parameters...);
    std::tuple<std::remove_cv_t<Parameters>...> arguments;
  };
  const Bound bound = {kernel, {static_cast<Parameters>(arguments)...}};
  const auto call = [](const void* with) {
    const Bound& bound = *static_cast<const Bound*>(with);
    std::apply(bound.kernel, bound.arguments);
  };
  return emulator::run(*config, {reinterpret_cast<const void*>(kernel), call, &bound, sizeof bound});
}

template <typename... Parameters>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Parameters...), cudaFuncAttribute attribute, int value) {
  return emulator::allow_dynamic_shared(reinterpret_cast<const void*>(kernel), attribute, value);
}

// Of the architecture that this copy of the library is compiled as.
template <typename... Parameters>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, void (*)(Parameters...)) {
  attributes->ptxVersion = EMULATOR_ARCHITECTURE / 10;
  attributes->binaryVersion = EMULATOR_ARCHITECTURE / 10;
  return cudaSuccess;
}

template <typename... Parameters>
cudaError_t cudaOccupancyMaxActiveClusters(int* clusters, void (*)(Parameters...), const cudaLaunchConfig_t* config) {
  return emulator::most_active_clusters(clusters, *config);
}
