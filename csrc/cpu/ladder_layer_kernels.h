// The kernels of the step between two dense layers of a ladder network for one instruction set;
// ladder_layer_kernels.cpp implements them.

#pragma once

#include "cpu/ladder_kernels.h"

namespace ebgan {

// All rows of some units in one part of one network's batch. beta and gamma are one row each; null data stands for
// no tensor.
struct LayerTile {
  int64_t rows;
  int64_t units;
  bool relu;
  Rows x;
  Rows noise;
  Rows beta;
  Rows gamma;
};

// The results of a tile. mean and std are one row each; h is null where it equals z.
struct LayerResults {
  ResultRows z;
  ResultRows h;
  ResultRows mean;
  ResultRows std;
};

// The gradients of the results, null where they are 0, and those of the inputs. A tile adds to the gradients of beta
// and gamma, which are null where they are not wanted.
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
