// Places in a tensor's memory, and single values at them, read and written in float64.

#pragma once

#include <cstdint>
#include <vector>

#include "math/half.h"
#include "stable/tensor.h"

namespace ebgan {

inline int64_t element_size(Dtype dtype) {
  return dtype == Dtype::kFloat64 ? 8 : dtype == Dtype::kFloat32 ? 4 : 2;
}

inline const void* offset(const void* data, Dtype dtype, int64_t elements) {
  return static_cast<const char*>(data) + elements * element_size(dtype);
}

// The address of element `elements`; null stays null, and stands for a gradient that is not wanted.
inline void* offset(void* data, Dtype dtype, int64_t elements) {
  return data ? static_cast<char*>(data) + elements * element_size(dtype) : nullptr;
}

inline double read_value(const void* data, Dtype dtype, int64_t index) {
  switch (dtype) {
    case Dtype::kFloat16:
      return math::load_one(static_cast<const math::Float16*>(data) + index);
    case Dtype::kBFloat16:
      return math::load_one(static_cast<const math::BFloat16*>(data) + index);
    case Dtype::kFloat32:
      return static_cast<const float*>(data)[index];
    default:
      return static_cast<const double*>(data)[index];
  }
}

inline void write_value(void* data, Dtype dtype, int64_t index, double value) {
  switch (dtype) {
    case Dtype::kFloat16:
      return math::store_one(static_cast<math::Float16*>(data) + index, static_cast<float>(value));
    case Dtype::kBFloat16:
      return math::store_one(static_cast<math::BFloat16*>(data) + index, static_cast<float>(value));
    case Dtype::kFloat32:
      static_cast<float*>(data)[index] = static_cast<float>(value);
      return;
    default:
      static_cast<double*>(data)[index] = value;
  }
}

// Writes `count` values from `index` on; the type is looked up once.
inline void write_values(void* data, Dtype dtype, int64_t index, const double* values, int64_t count) {
  if (dtype == Dtype::kFloat32) {
    float* const to = static_cast<float*>(data) + index;
    for (int64_t i = 0; i < count; ++i) to[i] = static_cast<float>(values[i]);
  } else {
    for (int64_t i = 0; i < count; ++i) write_value(data, dtype, index + i, values[i]);
  }
}

// The incoming gradient number `index`.
inline double incoming_at(const Incoming& incoming, int64_t index) {
  return incoming.data ? read_value(incoming.data, incoming.dtype, index * incoming.stride) : 1;
}

inline double scalar(const Tensor& tensor) {
  return read_value(tensor.const_data_ptr(), dtype_of(tensor), 0);
}

inline std::vector<double> vector_values(const Tensor& tensor) {
  std::vector<double> values(static_cast<size_t>(tensor.size(0)));
  const void* data = tensor.const_data_ptr();
  const Dtype dtype = dtype_of(tensor);
  const int64_t stride = tensor.stride(0);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = read_value(data, dtype, static_cast<int64_t>(i) * stride);
  return values;
}

// New tensors in the accumulation dtype of `like`.

inline Tensor vector_tensor(const std::vector<double>& values, const Tensor& like) {
  const Dtype dtype = accumulation_dtype(dtype_of(like));
  Tensor tensor = empty_vector(static_cast<int64_t>(values.size()), dtype, like);
  void* data = tensor.mutable_data_ptr();
  for (size_t i = 0; i < values.size(); ++i) write_value(data, dtype, static_cast<int64_t>(i), values[i]);
  return tensor;
}

inline Tensor scalar_tensor(double value, const Tensor& like) {
  const Dtype dtype = accumulation_dtype(dtype_of(like));
  Tensor tensor = empty_scalar(dtype, like);
  write_value(tensor.mutable_data_ptr(), dtype, 0, value);
  return tensor;
}

}  // namespace ebgan
