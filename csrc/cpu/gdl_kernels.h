// The kernels of the gradient-difference family for one instruction set; gdl_kernels.cpp implements them.

#pragma once

#include <cstdint>

#include "cpu/instruction_set.h"
#include "math/gdl.h"
#include "stable/dtype.h"

namespace ebgan {

using math::Terms;

// Sums of terms, not yet multiplied by their shares.
struct Sums {
  double elements = 0;
  double axes[3] = {0, 0, 0};
};

// One image of a run. `down` and `through` carry the slopes of pairs (d pair / d step) from a pair's first element
// to its second: `down` a row of slopes to the next row, `through` a run of slopes to the same rows of the next
// slice.
template <typename T>
struct Side {
  const T* values = nullptr;
  const T* beyond = nullptr;  // the same rows of the next slice; null in the last, and in a plane
  T* gradient = nullptr;
  T* down = nullptr;
  T* through = nullptr;
};

// Rows that follow each other in memory, in one slice or in several planes. Where the target has a gradient, the
// prediction has one too; without gradients there are no slopes.
template <typename T>
struct Run {
  Side<T> prediction;
  Side<T> target;
  int64_t rows;
  int64_t width;
  int64_t first;   // the row of its slice or plane with which the run begins
  int64_t height;  // the rows of the slice or plane
  bool paired;     // whether pairs are formed along rows and down columns
  bool through;    // whether pairs are formed from slice to slice
  bool streamed;   // whether so much is written that it leaves the caches before it is read
};

template <typename T>
struct GdlLoops {
  // Adds a run's terms to the sums, and writes the gradients that are wanted.
  void (*pass)(const Terms& terms, const Run<T>& run, Sums& sums);
  // `average` makes the 2 x 2 averages (height, width) of a plane of twice that size; `spread` goes back, and adds a
  // quarter of each coarse element to the four that it is the average of.
  void (*average)(const T* fine, int64_t height, int64_t width, T* coarse);
  void (*spread)(const T* coarse, int64_t height, int64_t width, T* fine);
};

struct GdlKernels {
  GdlLoops<float> single;
  GdlLoops<double> precise;
  // These convert between float32 and a type of no more digits.
  void (*widen)(Dtype dtype, const void* from, int64_t count, float* to);
  void (*narrow)(Dtype dtype, const float* from, int64_t count, void* to);
  // Must follow streamed stores before another thread reads them.
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
