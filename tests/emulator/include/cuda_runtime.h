// Stand-in for the CUDA runtime's header: the words of CUDA C++, vector types, built-in functions, and the part of the
// host's interface that the library uses. A function that is declared and not emulated raises when it is first used.

#pragma once

#include <math.h>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

#include "emulator/counted.h"
#include "emulator/device_api.h"
#include "emulator/host_api.h"

#define __host__
#define __device__
// Everything a kernel calls becomes part of it where accesses are watched: GCC watches no structure that is returned.
#ifdef EMULATOR_WATCHES
#define __global__ __attribute__((flatten))
#else
#define __global__
#endif
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};

// --- synchronisation -----------------------------------------------------------------------------

inline void __syncthreads(EMULATOR_HERE) { ::emulator::sync_block({file, line}); }
inline int __syncthreads_or(int predicate, EMULATOR_HERE) { return ::emulator::sync_block_or(predicate, {file, line}); }
inline void __syncwarp(unsigned mask = 0xffffffffu, EMULATOR_HERE) { ::emulator::sync_warp(mask, {file, line}); }
inline void __threadfence() {}  // one thread runs at a time
inline void __threadfence_block() {}

// --- exchanges between lanes ---------------------------------------------------------------------

#define EMULATOR_SHUFFLE(name, kind, argument_type)                                                                \
  template <typename T>                                                                                            \
  inline T name(unsigned mask, T value, argument_type argument, int width = ::emulator::kWarpLanes, EMULATOR_HERE) { \
    return ::emulator::exchange_value(::emulator::Exchange::kind, mask, value, static_cast<int>(argument), width,  \
                                      {file, line});                                                               \
  }
EMULATOR_SHUFFLE(__shfl_sync, kIndex, int)
EMULATOR_SHUFFLE(__shfl_xor_sync, kXor, int)
EMULATOR_SHUFFLE(__shfl_up_sync, kUp, unsigned)
EMULATOR_SHUFFLE(__shfl_down_sync, kDown, unsigned)
#undef EMULATOR_SHUFFLE

inline unsigned __ballot_sync(unsigned mask, int predicate, EMULATOR_HERE) {
  return ::emulator::exchange_value(::emulator::Exchange::kBallot, mask, predicate != 0 ? 1u : 0u, 0,
                                    ::emulator::kWarpLanes, {file, line});
}
inline int __any_sync(unsigned mask, int predicate, EMULATOR_HERE) {
  return __ballot_sync(mask, predicate, file, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, EMULATOR_HERE) {
  return __ballot_sync(mask, predicate, file, line) == mask;
}

// --- memory --------------------------------------------------------------------------------------

template <typename T>
inline __attribute__((always_inline)) T __ldg(const T* from, EMULATOR_HERE) {
  ::emulator::check_aligned(from, alignof(T), {file, line});
  return *from;
}
template <typename T>
inline __attribute__((always_inline)) T __ldcs(const T* from, EMULATOR_HERE) {
  ::emulator::check_aligned(from, alignof(T), {file, line});
  return *from;
}
inline size_t __cvta_generic_to_shared(const void* pointer) { return ::emulator::shared_address(pointer); }

// One thread runs at a time, so an ordinary addition is atomic; the order of threads is the seed's.
template <typename T>
inline T atomicAdd(T* address, T value) {
  ::emulator::note_atomic(address, sizeof(T));
  const T before = *address;
  *address = before + value;
  return before;
}

// --- bits ----------------------------------------------------------------------------------------

inline float __uint_as_float(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
inline unsigned __float_as_uint(float value) {
  unsigned bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// --- not emulated --------------------------------------------------------------------------------

#define EMULATOR_MISSING(name)                                                                                  \
  template <typename... Arguments>                                                                              \
  [[noreturn]] inline auto name(Arguments&&...) {                                                               \
    ::emulator::fail("%s is not emulated; add it to tests/emulator/include/cuda_runtime.h", #name);             \
  }
EMULATOR_MISSING(atomicMax)
EMULATOR_MISSING(atomicMin)
EMULATOR_MISSING(atomicCAS)
EMULATOR_MISSING(atomicExch)
EMULATOR_MISSING(__activemask)
EMULATOR_MISSING(__match_any_sync)
EMULATOR_MISSING(__reduce_add_sync)
EMULATOR_MISSING(__nanosleep)
EMULATOR_MISSING(clock64)
EMULATOR_MISSING(cudaGridDependencySynchronize)
EMULATOR_MISSING(cudaTriggerProgrammaticLaunchCompletion)
#undef EMULATOR_MISSING
