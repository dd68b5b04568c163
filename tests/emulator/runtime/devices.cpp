// The devices that can be emulated, and what each allows; which one is in use.

#include "devices.h"

#include <cstring>
#include <map>
#include <utility>

#include "emulator/device_api.h"
#include "hooks.h"
#include "launch.h"

namespace emulator {
namespace {

constexpr int kKilobyte = 1024;
constexpr int kWithoutOptingIn = 48 * kKilobyte;
constexpr int kMostThreads = 1024;
constexpr size_t kMostArgumentBytes = 32764;

// The first is used unless another is asked for.
constexpr Device kDevices[] = {
#if EMULATOR_ARCHITECTURE >= 900
    {"large", 9, 0, 132, 227 * kKilobyte, 228 * kKilobyte, kKilobyte, true},
    {"small", 9, 0, 3, 99 * kKilobyte, 100 * kKilobyte, kKilobyte, true},
    {"crowded", 9, 0, 132, 227 * kKilobyte, 228 * kKilobyte, kKilobyte, false},
#elif EMULATOR_ARCHITECTURE >= 800
    {"large", 8, 0, 108, 163 * kKilobyte, 164 * kKilobyte, kKilobyte, false},
    {"small", 8, 6, 3, 99 * kKilobyte, 100 * kKilobyte, kKilobyte, false},
    // The driver compiles PTX of 8.0 for it: clusters can be launched, and the code knows none.
    {"newer", 9, 0, 132, 227 * kKilobyte, 228 * kKilobyte, kKilobyte, true},
#else
    {"large", 7, 5, 72, 64 * kKilobyte, 64 * kKilobyte, 0, false},
    {"small", 7, 5, 2, 64 * kKilobyte, 64 * kKilobyte, 0, false},
#endif
};

int in_use = 0;
std::map<std::pair<int, const void*>, int> dynamic_bytes_allowed;  // by device and kernel

bool fits_cluster(unsigned cluster, int64_t shared_bytes) {
  const Device& device = kDevices[in_use];
  if (cluster == 1) return true;
  // On a crowded device two blocks of a cluster find room on no two multiprocessors unless each leaves half of one free.
  return device.room_for_clusters || shared_bytes <= device.shared_per_multiprocessor / 2 - device.reserved_shared;
}

}  // namespace

const Device& device() { return kDevices[in_use]; }

bool use_device(const char* name) {
  for (int i = 0; i < static_cast<int>(sizeof kDevices / sizeof kDevices[0]); ++i) {
    if (std::strcmp(kDevices[i].name, name) != 0) continue;
    in_use = i;
    return true;
  }
  return false;
}

std::string device_names() {
  std::string names;
  for (const Device& each : kDevices) names += std::string(names.empty() ? "" : " ") + each.name;
  return names;
}

int device_in_use() { return in_use; }

cudaError_t check_launch(const cudaLaunchConfig_t& config, const Kernel& kernel, unsigned cluster) {
  const bool one_axis = config.gridDim.y == 1 && config.gridDim.z == 1 && config.blockDim.y == 1 && config.blockDim.z == 1;
  if (!one_axis) fail("a grid or a block of more than one axis is not emulated");
  if (config.gridDim.x == 0 || config.gridDim.x > 0x7fffffffu) return cudaErrorInvalidConfiguration;
  if (config.blockDim.x == 0 || config.blockDim.x > kMostThreads) return cudaErrorInvalidConfiguration;
  if (kernel.argument_bytes > kMostArgumentBytes) return cudaErrorInvalidValue;
  const int64_t shared = static_cast<int64_t>(config.dynamicSmemBytes);
  const auto allowed = dynamic_bytes_allowed.find({in_use, kernel.address});
  if (shared > (allowed == dynamic_bytes_allowed.end() ? kWithoutOptingIn : allowed->second)) return cudaErrorInvalidValue;
  if (shared > device().shared_per_block) return cudaErrorInvalidValue;
  if (cluster > 1 && (device().major < 9 || cluster > kMostClusterBlocks || config.gridDim.x % cluster != 0 ||
                      !fits_cluster(cluster, shared))) {
    return cudaErrorInvalidClusterSize;
  }
  launch.most_shared_bytes = device().shared_per_block;
  return cudaSuccess;
}

cudaError_t allow_dynamic_shared(const void* kernel, cudaFuncAttribute, int value) {
  if (value > device().shared_per_block) return cudaErrorInvalidValue;
  dynamic_bytes_allowed[{in_use, kernel}] = value;
  return cudaSuccess;
}

cudaError_t most_active_clusters(int* clusters, const cudaLaunchConfig_t& config) {
  const unsigned cluster = config.numAttrs > 0 ? config.attrs[0].val.clusterDim.x : 1;
  *clusters = fits_cluster(cluster, static_cast<int64_t>(config.dynamicSmemBytes)) ? 1 : 0;
  return cudaSuccess;
}

}  // namespace emulator

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  const emulator::Device& device = emulator::device();
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      *value = device.multiprocessors;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = device.shared_per_block;
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = device.shared_per_multiprocessor;
      break;
    case cudaDevAttrReservedSharedMemoryPerBlock:
      *value = device.reserved_shared;
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = device.major == 7 ? 1024 : device.minor == 0 ? 2048 : 1536;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = device.major;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = device.minor;
      break;
  }
  return cudaSuccess;
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    default:
      return "cluster misconfiguration";
  }
}
