// Stand-in for csrc/stable/cuda.h: tensors lie in the host's memory, the device is the emulated one in use.

#pragma once

#include <cuda_runtime.h>
#include <torch/csrc/stable/macros.h>

#include "stable/tensor.h"

namespace ebgan {

inline void check_cuda(cudaError_t status) {
  STD_TORCH_CHECK(status == cudaSuccess, "CUDA error: ", cudaGetErrorString(status));
}

class CudaContext {
 public:
  explicit CudaContext(const Tensor& tensor) : like_(tensor) {}

  const Tensor& like() const { return like_; }
  int device() const { return ::emulator::device_in_use(); }
  cudaStream_t stream() const { return nullptr; }
  void will_write(const Result&, int64_t) const {}

 private:
  const Tensor& like_;
};

}  // namespace ebgan
