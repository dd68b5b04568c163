// Places in a tensor's memory, and single values at them, read and written in float64.

#pragma once

#include <cstdint>

#include "cpu/types.h"
#include "stable/view.h"

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
  return with_type(dtype, [&]<typename Element>() -> double {
    return math::load_one(static_cast<const Element*>(data) + index);
  });
}

inline void write_value(void* data, Dtype dtype, int64_t index, double value) {
  if (dtype == Dtype::kFloat64) return math::store_one(static_cast<double*>(data) + index, value);
  with_single(dtype, [&]<typename Element>() {
    math::store_one(static_cast<Element*>(data) + index, static_cast<float>(value));
  });
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

// Whether the results hold already what belongs to this incoming gradient.
inline bool is_done(const Incoming& incoming, int64_t index) {
  return incoming.filled && incoming_at(incoming, index) == 1;
}

}  // namespace ebgan
