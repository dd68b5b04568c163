// The kernels of the ladder family for one instruction set; ladder_kernels.cpp implements them.

#pragma once

#include <cstdint>

#include "cpu/instruction_set.h"
#include "math/ladder.h"
#include "stable/view.h"

namespace ebgan {

// Rows of units, `stride` elements apart. There is one row where a unit has one value for all samples.
struct Rows : Source {
  int64_t stride = 0;
};

struct ResultRows : Result {
  int64_t stride = 0;
};

// The number of sums over samples, the gradients of a1 to a10, of mean and of std; each is a row.
constexpr int kUnitSums = math::kCombinatorParameters + 2;

// Some rows of some units of one network. The combinator takes the inputs z, u and parameters, its gradient also
// `incoming`, the cost all but `incoming`. `sums` has kUnitSums rows, `sum_stride` elements apart, in float64 for
// float64 inputs and else in float32. `streamed` says that so much is written that it leaves the caches before it is
// read.
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
  // Returns the sum of r^2.
  double (*cost)(const LadderTile& tile);
  // Returns the sum of r^2, and writes the gradients for `share`.
  double (*cost_and_gradients)(const LadderTile& tile);
};

EBGAN_KERNEL_TABLES(LadderKernels, kLadderKernels, ladder_kernels)

}  // namespace ebgan
