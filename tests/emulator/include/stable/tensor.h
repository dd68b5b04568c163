// csrc/stable/tensor.h, but for new tensors: they are filled with NaN, so that a kernel that leaves an element out shows.

#pragma once

#include <torch/csrc/inductor/aoti_torch/c/shim.h>

namespace emulator {

inline AOTITorchError empty_strided(int64_t dimensions, const int64_t* sizes, const int64_t* strides, int32_t dtype,
                                    int32_t device_type, int32_t device_index, AtenTensorHandle* result);

}

#define aoti_torch_empty_strided ::emulator::empty_strided
#include_next "stable/tensor.h"
#undef aoti_torch_empty_strided

#include <cstring>

inline AOTITorchError emulator::empty_strided(int64_t dimensions, const int64_t* sizes, const int64_t* strides,
                                              int32_t dtype, int32_t device_type, int32_t device_index,
                                              AtenTensorHandle* result) {
  const AOTITorchError error =
      aoti_torch_empty_strided(dimensions, sizes, strides, dtype, device_type, device_index, result);
  if (error != AOTI_TORCH_SUCCESS) return error;
  void* data = nullptr;
  int64_t bytes = 0;
  if (aoti_torch_get_data_ptr(*result, &data) != AOTI_TORCH_SUCCESS) return AOTI_TORCH_FAILURE;
  if (aoti_torch_get_storage_size(*result, &bytes) != AOTI_TORCH_SUCCESS) return AOTI_TORCH_FAILURE;
  if (bytes > 0) std::memset(data, 0xff, static_cast<size_t>(bytes));
  return AOTI_TORCH_SUCCESS;
}
