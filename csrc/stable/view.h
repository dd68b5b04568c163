// Tensors as kernels see them, on either device: memory, element type and strides. This file includes no torch
// header, so that kernels stay quick to compile.

#pragma once

#include <cstdint>

#include "stable/dtype.h"

namespace ebgan {

// A tensor that is read; null data says that there is none. What it is says how its elements lie.
struct Source {
  const void* data = nullptr;
  Dtype dtype = Dtype::kFloat32;
};

// A tensor of packed elements that is written; null data says that it is not wanted.
struct Result {
  void* data = nullptr;
  Dtype dtype = Dtype::kFloat32;
};

// A source with the strides, in elements, of its outer axes. The elements inside them lie side by side.
template <int kAxes>
struct View : Source {
  int64_t stride[kAxes] = {};
};

// The gradient that arrives from outside, of a scalar loss or of each of several; its dtype is that of the loss.
// Null data stands for 1.
struct Incoming : Source {
  int64_t stride = 0;   // 0 where there is one for all
  bool filled = false;  // whether the results hold what belongs to an incoming gradient of 1 already
};

}  // namespace ebgan
