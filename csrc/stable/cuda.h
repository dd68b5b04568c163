// The CUDA side of the LibTorch stable ABI: device, current stream and error checks.

#pragma once

#include <cuda_runtime.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/macros.h>

#include <cstdint>

#include "stable/tensor.h"

namespace ebgan {

// Throws on an error, with torch's own description of what failed and of how to find the kernel that did.
inline void check_cuda(cudaError_t status) { STD_CUDA_CHECK(status); }

// While it lives, a tensor's device is the current one; work goes to the stream that torch uses on it.
class CudaContext {
 public:
  explicit CudaContext(const Tensor& tensor)
      : like_(tensor), device_(tensor.get_device_index()), guard_(device_) {
    void* stream = nullptr;
    TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(device_, &stream));
    stream_ = static_cast<cudaStream_t>(stream);
  }

  const Tensor& like() const { return like_; }  // a tensor of the device, on which workspaces are made
  int device() const { return device_; }
  cudaStream_t stream() const { return stream_; }
  void will_write(const Result&, int64_t) const {}

 private:
  const Tensor& like_;
  int device_;
  torch::stable::accelerator::DeviceGuard guard_;
  cudaStream_t stream_ = nullptr;
};

}  // namespace ebgan
