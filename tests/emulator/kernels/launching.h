// How a test launches a kernel of its own and hears of an error: a function of C's for ctypes.

#pragma once

#include <cuda_runtime.h>

#include <exception>
#include <stdexcept>
#include <string>

namespace emulator::tests {

struct Shape {
  unsigned blocks;
  unsigned threads;
  size_t shared_bytes = 0;
  unsigned cluster = 1;
};

template <typename... Parameters, typename... Arguments>
void launch_shaped(void (*kernel)(Parameters...), const Shape& shape, const Arguments&... arguments) {
  cudaLaunchAttribute attribute = {cudaLaunchAttributeClusterDimension, {{shape.cluster, 1, 1}}};
  const cudaLaunchConfig_t config = {dim3(shape.blocks), dim3(shape.threads), shape.shared_bytes,
                                     nullptr,            &attribute,          shape.cluster > 1 ? 1u : 0u};
  const cudaError_t error = cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...);
  if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorString(error));
}

template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), unsigned blocks, unsigned threads, const Arguments&... arguments) {
  launch_shaped(kernel, {blocks, threads}, arguments...);
}

template <typename Body>
const char* error_of(const Body& body) {
  static std::string message;
  message.clear();
  try {
    body();
  } catch (const std::exception& error) {
    message = error.what();
  }
  return message.c_str();
}

}  // namespace emulator::tests

// A function that returns what went wrong; "": nothing.
#define EMULATOR_TEST(name, parameters, ...)                              \
  extern "C" __attribute__((visibility("default"))) const char* name parameters { \
    return ::emulator::tests::error_of([&] { __VA_ARGS__; });             \
  }
