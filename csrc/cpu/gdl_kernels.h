// What the gradient-difference family needs of an instruction set; implemented in gdl_kernels.cpp.

#pragma once

#include <cstdint>

#include "cpu/instruction_set.h"
#include "math/gdl.h"
#include "stable/dtype.h"

namespace ebgan {

// What the terms of a loss are worth. `axes` are width, height and depth; none where the gradient difference is
// left out, as p is 0 where the l_p term is.
struct Terms {
  int p;
  int axes;
  double alpha;
  double element_share;
  double axis_shares[3];

  Terms scaled(double by) const {
    Terms terms = *this;
    terms.element_share *= by;
    for (double& share : terms.axis_shares) share *= by;
    return terms;
  }
};

// Sums of terms, before their shares.
struct Sums {
  double elements = 0;
  double axes[3] = {0, 0, 0};
};

// One image of a run. `down` and `through` carry the slopes of pairs (d pair / d step) from the element that comes
// first to the one that comes second: a row of them to the next row, a run of them to the same rows of the next
// slice.
template <typename T>
struct Side {
  const T* values = nullptr;
  const T* beyond = nullptr;  // the same rows of the next slice; null in the last, and in a plane
  T* gradient = nullptr;
  T* down = nullptr;
  T* through = nullptr;
};

// Rows that follow each other in memory, of one slice or of several planes. Where a gradient of the target is
// wanted, the prediction has one too; where none is, there are no slopes.
template <typename T>
struct Run {
  Side<T> prediction;
  Side<T> target;
  int64_t rows;
  int64_t width;
  int64_t first;   // which row of its slice or plane the run begins with
  int64_t height;  // of the slice or plane
  bool paired;     // whether pairs are formed along rows and down columns,
  bool through;    // and from slice to slice
  bool streamed;   // so much is written that it will have left the caches before anyone reads it
};

template <typename T>
struct GdlLoops {
  // Adds a run's terms to the sums, and writes the gradients that are wanted.
  void (*pass)(const Terms& terms, const Run<T>& run, Sums& sums);
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
