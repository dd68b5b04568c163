// What the gradient-difference family needs of an instruction set; implemented in gdl_kernels.cpp.

#pragma once

#include <cstdint>

#include "cpu/instruction_set.h"
#include "math/gdl.h"
#include "stable/dtype.h"

namespace ebgan {

template <typename T>
struct BitsOf {
  using type = int32_t;
};
template <>
struct BitsOf<double> {
  using type = int64_t;
};
template <typename T>
using Bits = typename BitsOf<T>::type;

// One side of a run of pairs of neighbours: their first elements, their second ones, and where the slopes go
// (d pair / d(second - first)); null slopes are not wanted.
template <typename T>
struct Side {
  const T* first;
  const T* second;
  T* slopes;
};

// `mask`, where given, has all bits set for a pair and none for what only looks like one: the last element of a
// row and the first of the next. `from_memory`: the second elements are read for the first time, from beyond the
// caches.
template <typename T>
struct Pairs {
  Side<T> prediction;
  Side<T> target;
  int64_t count;
  const Bits<T>* mask;
  double alpha;
  bool from_memory;
};

// What an axis adds to the gradient of element i: share * (before[i] - after[i]), the slopes of the pairs whose
// second and whose first element it is.
template <typename T>
struct Axis {
  const T* before;
  const T* after;
  double share;
};

// `gradient` is null where only the terms are summed. `streamed`: so much is written that it will have left the
// caches before anyone reads it.
template <typename T>
struct Elements {
  const T* prediction;
  const T* target;
  int64_t count;
  double share;
  Axis<T> axes[3];
  Dtype gradient_dtype;
  void* gradient;
  bool streamed;
};

template <typename T>
struct GdlLoops {
  // Sum of the pairs' terms.
  double (*pairs)(math::Exponent exponent, const Pairs<T>& pairs);
  // Sum of the elements' terms |P - T|^p, none where p is 0, and their gradient with that of `axes` axes.
  double (*elements)(int p, int axes, const Elements<T>& elements);
  // The 2 x 2 averages (height, width) of a plane of twice that size; and back, a quarter of each coarse element
  // added to the four it is the average of.
  void (*average)(const T* fine, int64_t height, int64_t width, T* coarse);
  void (*spread)(const T* coarse, int64_t height, int64_t width, T* fine);
};

struct GdlKernels {
  GdlLoops<float> single;
  GdlLoops<double> precise;
  // Between float32 and a type of no more digits.
  void (*widen)(Dtype dtype, const void* from, int64_t count, float* to);
  void (*narrow)(Dtype dtype, const float* from, int64_t count, void* to);
  // After streamed stores, before another thread may read them.
  void (*finish)();
};

EBGAN_KERNEL_TABLES(GdlKernels, kGdlKernels, gdl_kernels)

template <typename T>
const GdlLoops<T>& gdl_loops() {
  if constexpr (sizeof(T) == sizeof(double)) {
    return gdl_kernels().precise;
  } else {
    return gdl_kernels().single;
  }
}

}  // namespace ebgan
