// Tensors through the LibTorch stable ABI: element types, data pointers, allocation.
//
// Only csrc/stable names torch. Everything here needs no more than TORCH_TARGET_VERSION 2.10, so one build
// serves every later torch. An operator's arguments are checked in Python (ebgan_kernels/checks), where a
// message can name the argument; tensors that reach this file are dense, floating and on the right device.

#pragma once

#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/tensor.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include "stable/dtype.h"
#include "stable/view.h"

namespace ebgan {

using torch::stable::Tensor;

inline Dtype dtype_of(const Tensor& tensor) {
  int32_t code = 0;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_dtype(tensor.get(), &code));
  if (code == aoti_torch_dtype_float32()) return Dtype::kFloat32;
  if (code == aoti_torch_dtype_bfloat16()) return Dtype::kBFloat16;
  if (code == aoti_torch_dtype_float16()) return Dtype::kFloat16;
  STD_TORCH_CHECK(code == aoti_torch_dtype_float64(), "expected a floating dtype, got torch dtype code ",
                  code);
  return Dtype::kFloat64;
}

inline int32_t torch_dtype(Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat16:
      return aoti_torch_dtype_float16();
    case Dtype::kBFloat16:
      return aoti_torch_dtype_bfloat16();
    case Dtype::kFloat32:
      return aoti_torch_dtype_float32();
    default:
      return aoti_torch_dtype_float64();
  }
}

// An uninitialised tensor with strides. aoti_torch_empty_strided takes them, and skips the boxed dispatcher call
// that torch::stable::empty makes.
inline Tensor empty_strided(const std::vector<int64_t>& sizes, const std::vector<int64_t>& strides,
                            Dtype dtype, const Tensor& device_of) {
  int32_t device_type = 0;
  int32_t device_index = 0;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_device_type(device_of.get(), &device_type));
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_device_index(device_of.get(), &device_index));
  AtenTensorHandle handle = nullptr;
  TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(static_cast<int64_t>(sizes.size()), sizes.data(),
                                                  strides.data(), torch_dtype(dtype), device_type,
                                                  device_index, &handle));
  return Tensor(handle);
}

inline Tensor empty_contiguous(const std::vector<int64_t>& sizes, Dtype dtype, const Tensor& device_of) {
  std::vector<int64_t> strides(sizes.size());
  int64_t stride = 1;
  for (size_t i = sizes.size(); i-- > 0; stride *= sizes[i]) strides[i] = stride;
  return empty_strided(sizes, strides, dtype, device_of);
}

inline Tensor empty_scalar(Dtype dtype, const Tensor& device_of) {
  return empty_strided({}, {}, dtype, device_of);
}

inline Tensor empty_vector(int64_t length, Dtype dtype, const Tensor& device_of) {
  return empty_strided({length}, {1}, dtype, device_of);
}

// An uninitialised contiguous tensor of the shape and dtype of `tensor`.
inline Tensor empty_packed(const Tensor& tensor) {
  return empty_contiguous({tensor.sizes().begin(), tensor.sizes().end()}, dtype_of(tensor), tensor);
}

// The same, but packed are the samples: each is laid out as in `tensor`.
inline Tensor empty_samples(const Tensor& tensor) {
  std::vector<int64_t> sizes(tensor.sizes().begin(), tensor.sizes().end());
  std::vector<int64_t> strides(tensor.strides().begin(), tensor.strides().end());
  if (sizes[0] != 0) strides[0] = tensor.numel() / sizes[0];
  return empty_strided(sizes, strides, dtype_of(tensor), tensor);
}

// Which inputs need a gradient is a number, of which bit i is that of input i: the dispatcher takes about 0.7 us
// longer for a list of bools (AMD EPYC, torch 2.13, 2026-11-28).
inline bool is_needed(int64_t needed, size_t input) { return needed >> input & 1; }

// New gradients of those tensors of which one is needed, in order; empty_one is one of the two functions above.
inline std::vector<Tensor> empty_gradients(const std::vector<Tensor>& tensors, int64_t needed,
                                           Tensor (*empty_one)(const Tensor&)) {
  std::vector<Tensor> gradients;
  gradients.reserve(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (is_needed(needed, i)) gradients.push_back(empty_one(tensors[i]));
  }
  return gradients;
}

inline Source source_of(const Tensor& tensor) { return {tensor.const_data_ptr(), dtype_of(tensor)}; }

inline Source source_of(const std::optional<Tensor>& tensor) {
  return tensor ? source_of(*tensor) : Source{};
}

// The memory of a tensor that a device's kernels will write. A context is what a call needs of its device, made from a
// tensor on it; that of the CPU advises the operating system.
template <typename Context>
Result result_of(const Context& context, const Tensor& tensor) {
  const Result result = {tensor.mutable_data_ptr(), dtype_of(tensor)};
  context.will_write(result, tensor.numel());
  return result;
}

// Where the gradient of each of `count` inputs goes: those that are needed, in order, and no memory for the others.
template <typename Context>
std::vector<Result> results_of(const Context& context, const std::vector<Tensor>& gradients, size_t count,
                               int64_t needed) {
  std::vector<Result> results(count);
  auto gradient = gradients.begin();
  for (size_t i = 0; i < count; ++i) {
    if (is_needed(needed, i)) results[i] = result_of(context, *gradient++);
  }
  return results;
}

// The incoming gradients of one loss or, with `each`, of as many as the tensor has elements.
inline Incoming incoming_of(const Tensor& gradient, bool each, bool filled) {
  return {source_of(gradient), each && gradient.dim() > 0 ? gradient.stride(0) : 0, filled};
}

}  // namespace ebgan
