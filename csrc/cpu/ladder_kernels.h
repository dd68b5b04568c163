// What the ladder family needs of an instruction set; implemented in ladder_kernels.cpp.

#pragma once

#include <cstdint>

#include "cpu/instruction_set.h"
#include "math/ladder.h"
#include "stable/dtype.h"

namespace ebgan {

// Rows of units, `stride` elements apart; one row where a unit has one value for all samples.
struct Rows {
  const void* data;
  Dtype dtype;
  int64_t stride;
};

// Null data: not wanted.
struct ResultRows {
  void* data;
  Dtype dtype;
  int64_t stride;
};

// Sums over samples, a row each: the gradients of a1 to a10, of mean and of std.
constexpr int kUnitSums = math::kCombinatorParameters + 2;

// Some rows of some units of one network. Of the inputs, the combinator takes z, u and parameters, its gradient
// also `incoming`, the cost all others. `sums` has kUnitSums rows, `sum_stride` elements apart, in float64 for
// float64 inputs and in float32 else. `streamed`: so much is written that it will have left the caches before
// anyone reads it.
struct LadderTile {
  int64_t rows;
  int64_t units;
  Rows z_clean;
  Rows z;
  Rows u;
  Rows incoming;
  Rows parameters;
  Rows mean;
  Rows std;
  ResultRows z_hat;
  ResultRows grad_z_clean;
  ResultRows grad_z;
  ResultRows grad_u;
  void* sums;
  int64_t sum_stride;
  double share;
  bool streamed;
};

struct LadderKernels {
  void (*combine)(const LadderTile& tile);
  void (*combine_backward)(const LadderTile& tile);
  // The sum of r^2.
  double (*cost)(const LadderTile& tile);
  // The same, with gradients for `share`.
  double (*cost_and_gradients)(const LadderTile& tile);
};

EBGAN_KERNEL_TABLES(LadderKernels, kLadderKernels, ladder_kernels)

}  // namespace ebgan
