// What the step between two dense layers of a ladder network needs of an instruction set; implemented in
// ladder_layer_kernels.cpp.

#pragma once

#include "cpu/ladder_kernels.h"

namespace ebgan {

// All rows of some units in one part of one network's batch. beta and gamma are a row; null data: there is none.
struct LayerTile {
  int64_t rows;
  int64_t units;
  bool relu;
  Rows x;
  Rows noise;
  Rows beta;
  Rows gamma;
};

// mean and std are a row; h null: it is z.
struct LayerResults {
  ResultRows z;
  ResultRows h;
  ResultRows mean;
  ResultRows std;
};

// The gradients of the results, null where they are 0; and those of the inputs. beta and gamma are added to, and
// null where they are not wanted.
struct LayerGradients {
  Rows z;
  Rows h;
  Rows mean;
  Rows std;
  ResultRows x;
  double* beta;
  double* gamma;
};

struct LayerKernels {
  void (*forward)(const LayerTile& tile, const LayerResults& results);
  void (*backward)(const LayerTile& tile, const Rows& mean, const Rows& std, const LayerGradients& gradients);
};

EBGAN_KERNEL_TABLES(LayerKernels, kLayerKernels, layer_kernels)

}  // namespace ebgan
