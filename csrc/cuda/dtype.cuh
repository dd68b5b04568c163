// The element types on the device, and one switch from a Dtype to a type.

#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <type_traits>

#include "stable/view.h"

namespace ebgan::cuda {

__host__ __device__ constexpr int size_of(Dtype dtype) {
  return dtype == Dtype::kFloat64 ? 8 : dtype == Dtype::kFloat32 ? 4 : 2;
}

// Calls body.template operator()<T>() with the type of values of `dtype`. A is the type in which they are summed;
// float64 goes only with float64. `dtype` is the same in the whole block and the switch stands outside every loop,
// so one kernel serves all dtypes and reads each tensor as it is.
template <typename A, typename Body>
__device__ __forceinline__ void with_type(Dtype dtype, const Body& body) {
  if constexpr (std::is_same_v<A, double>) {
    body.template operator()<double>();
  } else {
    switch (dtype) {
      case Dtype::kFloat16:
        return body.template operator()<__half>();
      case Dtype::kBFloat16:
        return body.template operator()<__nv_bfloat16>();
      default:
        return body.template operator()<float>();
    }
  }
}

template <typename A, typename Body>
__device__ __forceinline__ void with_types(Dtype first, Dtype second, const Body& body) {
  with_type<A>(first, [&]<typename R>() {
    with_type<A>(second, [&]<typename T>() { body.template operator()<R, T>(); });
  });
}

// Loads one value of any dtype.
template <typename A>
__device__ A load_value(const void* data, Dtype dtype, int64_t index) {
  switch (dtype) {
    case Dtype::kFloat16:
      return static_cast<A>(static_cast<float>(static_cast<const __half*>(data)[index]));
    case Dtype::kBFloat16:
      return static_cast<A>(static_cast<float>(static_cast<const __nv_bfloat16*>(data)[index]));
    case Dtype::kFloat32:
      return static_cast<A>(static_cast<const float*>(data)[index]);
    default:
      return static_cast<A>(static_cast<const double*>(data)[index]);
  }
}

template <typename A>
__device__ void store_value(void* data, Dtype dtype, int64_t index, A value) {
  with_type<A>(dtype, [&]<typename T>() { static_cast<T*>(data)[index] = static_cast<T>(value); });
}

// The incoming gradient number `index`, whose dtype is that of sums.
template <typename A>
__device__ A incoming_at(const Incoming& incoming, int64_t index) {
  return incoming.data == nullptr ? A(1) : static_cast<const A*>(incoming.data)[index * incoming.stride];
}

// Whether the results hold already what belongs to this incoming gradient.
template <typename A>
__device__ bool is_done(const Incoming& incoming, int64_t index) {
  return incoming.filled && incoming_at<A>(incoming, index) == A(1);
}

// Calls body.template operator()<A>() on the host, with the type in which a loss of this dtype is summed.
template <typename Body>
auto with_accumulation(Dtype dtype, const Body& body) {
  return dtype == Dtype::kFloat64 ? body.template operator()<double>() : body.template operator()<float>();
}

}  // namespace ebgan::cuda
