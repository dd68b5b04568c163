// The step between two dense layers of a ladder network. A block takes all rows of 32 units: a warp reads a row of
// them, and a thread keeps a unit, whose statistics and sums over rows stay in registers.
//
// Bytes for N elements of b-byte types: layer_forward 2 N b read, 2 N b written; layer_backward 4 N b read, N b
// written. 100 rows of 32 float32 units are 12.8 KB, which are read again from the caches: layer_forward reads x
// three times, layer_backward all tensors twice.
//
// A thread adds up 64 rows in float32 and these sums in float64; then warps are added in order, then parts. The same
// input gives the same bits.

#pragma once

#include <cstdint>

#include "cuda/ladder_tiles.cuh"
#include "math/ladder_layer.h"
#include "operators/ladder_layer.h"

namespace ebgan::cuda::ladder_layer {

using namespace ebgan::ladder_layer;
using ladder::kTileThreads;
using ladder::kTileUnits;
using ladder::kTileWarps;

constexpr int64_t kSummedRows = 64;  // rows that a thread adds in float32

__host__ __device__ inline int64_t unit_tiles(const Extent& extent) {
  return ceil_div(extent.units, kTileUnits);
}

// The place at which a thread works. With kMixed types are looked up at every access; else all are A.
template <typename A, bool kMixed>
struct Place {
  int64_t network;
  int64_t part;
  int64_t unit;
  int64_t first_row;
  int64_t end_row;  // leaves no rows to a thread without a unit
  bool has_unit;

  // A network has `turns` groups of `in_turn` parts; a block takes one group.
  __device__ Place(const Extent& extent, int64_t turns, int64_t in_turn)
      : network(blockIdx.x / (unit_tiles(extent) * turns)),
        part(blockIdx.x / unit_tiles(extent) % turns * in_turn),
        unit(blockIdx.x % unit_tiles(extent) * kTileUnits + threadIdx.x % kTileUnits),
        first_row(threadIdx.x / kTileUnits),
        end_row(unit < extent.units ? extent.rows : 0),
        has_unit(unit < extent.units) {}

  __device__ A load(const Parts& from, int64_t row) const {
    if (from.data == nullptr) return A(0);
    const int64_t at =
        network * from.stride[kNetwork] + part * from.stride[kPart] + row * from.stride[kRow] + unit;
    if constexpr (kMixed) {
      return load_value<A>(from.data, from.dtype, at);
    } else {
      return static_cast<const A*>(from.data)[at];
    }
  }
  // Stores a value in row `row`, counted over all rows of the tensor.
  __device__ void store(const Result& to, const Extent& extent, int64_t row, A value) const {
    if (to.data == nullptr) return;
    const int64_t at = row * extent.units + unit;
    if constexpr (kMixed) {
      store_value<A>(to.data, to.dtype, at, value);
    } else {
      static_cast<A*>(to.data)[at] = value;
    }
  }
  __device__ int64_t part_row(const Extent& extent) const { return network * extent.parts + part; }
  __device__ math::LayerUnit<A> layer_unit(const Inputs& inputs, A mean, A std) const {
    const A gamma = has_unit && inputs.gamma.data ? load(inputs.gamma, 0) : A(1);
    return {{mean, A(1) / std}, has_unit ? load(inputs.beta, 0) : A(0), gamma};
  }
};

// Sums over the rows of a unit, which all its threads get; term(row, sums) adds the terms of a row.
template <typename A, bool kMixed, int kCount, typename Term>
__device__ void sum_rows(const Place<A, kMixed>& place, double (&totals)[kCount], const Term& term) {
  __shared__ double shared[kTileWarps][kTileUnits];
  double mine[kCount] = {};
  for (int64_t first = place.first_row; first < place.end_row; first += kSummedRows * kTileWarps) {
    const int64_t behind = first + kSummedRows * kTileWarps;
    const int64_t end = behind < place.end_row ? behind : place.end_row;
    A some[kCount] = {};
#pragma unroll(kMixed ? 1 : 2)
    for (int64_t row = first; row < end; row += kTileWarps) term(row, some);
#pragma unroll
    for (int k = 0; k < kCount; ++k) mine[k] += static_cast<double>(some[k]);
  }
  const int lane = static_cast<int>(threadIdx.x) % kTileUnits;
#pragma unroll
  for (int k = 0; k < kCount; ++k) {
    shared[threadIdx.x / kTileUnits][lane] = mine[k];
    __syncthreads();
    totals[k] = shared[0][lane];
#pragma unroll
    for (int warp = 1; warp < kTileWarps; ++warp) totals[k] += shared[warp][lane];
    __syncthreads();
  }
}

template <typename A, bool kMixed>
__global__ void __launch_bounds__(kTileThreads)
    layer_forward(const __grid_constant__ Inputs inputs, const __grid_constant__ Outputs outputs) {
  const Extent& extent = inputs.extent;
  const Place<A, kMixed> place(extent, extent.parts, 1);
  double total[1];
  sum_rows(place, total, [&](int64_t row, A(&sums)[1]) { sums[0] += place.load(inputs.x, row); });
  const A mean = static_cast<A>(total[0] / extent.rows);
  sum_rows(place, total, [&](int64_t row, A(&sums)[1]) {
    const A centred = place.load(inputs.x, row) - mean;
    sums[0] += centred * centred;
  });
  const A std = static_cast<A>(sqrt(total[0] / extent.rows + math::kLayerEpsilon));
  const math::LayerUnit<A> unit = place.layer_unit(inputs, mean, std);
  const int64_t part_row = place.part_row(extent);
  if (place.has_unit && place.first_row == 0) {
    place.store(outputs.mean, extent, part_row, mean);
    place.store(outputs.std, extent, part_row, std);
  }
#pragma unroll(kMixed ? 1 : 2)
  for (int64_t row = place.first_row; row < place.end_row; row += kTileWarps) {
    const A z = math::standardised(unit.standard, place.load(inputs.x, row)) + place.load(inputs.noise, row);
    place.store(outputs.z, extent, part_row * extent.rows + row, z);
    place.store(outputs.h, extent, part_row * extent.rows + row, unit.activation(z, inputs.relu));
  }
}

// Two blocks on a multiprocessor leave a thread 128 registers. Without the bound ptxas aims at 64 and spills 8 bytes
// where types are mixed; two mixed rows at a time would take more than 128 (nvcc 13.0, sm_90). With kSums the kernel
// also computes the gradients of beta and gamma, to which a network's parts add one after the other.
template <typename A, bool kMixed, bool kSums>
__global__ void __launch_bounds__(kTileThreads, 2)
    layer_backward(const __grid_constant__ Inputs inputs, const Parts mean, const Parts std,
                   const __grid_constant__ Gradients gradients) {
  const Extent& extent = inputs.extent;
  const int64_t in_turn = kSums ? extent.parts : 1;
  Place<A, kMixed> place(extent, kSums ? 1 : extent.parts, in_turn);
  double of_beta = 0;
  double of_gamma = 0;
  for (int64_t turn = 0; turn < in_turn; ++turn, ++place.part) {
    const A deviation = place.has_unit ? place.load(std, 0) : A(1);
    const math::LayerUnit<A> unit =
        place.layer_unit(inputs, place.has_unit ? place.load(mean, 0) : A(0), deviation);
    const auto gradient = [&](int64_t row, A y) {
      return math::layer_gradient(unit, y + place.load(inputs.noise, row), place.load(gradients.z, row),
                                  place.load(gradients.h, row), inputs.relu);
    };
    constexpr int kCount = kSums ? 4 : 2;
    double totals[kCount];
    sum_rows(place, totals, [&](int64_t row, A(&sums)[kCount]) {
      const A y = math::standardised(unit.standard, place.load(inputs.x, row));
      const math::LayerGradient<A> g = gradient(row, y);
      sums[0] += g.z;
      sums[1] += g.z * y;
      if constexpr (kSums) {
        sums[2] += g.beta;
        sums[3] += g.gamma;
      }
    });
    if constexpr (kSums) {
      of_beta += totals[2];
      of_gamma += totals[3];
    }
    if (gradients.x.data == nullptr || !place.has_unit) continue;
    const A share = deviation / static_cast<A>(extent.rows);
    const math::LayerMeans<A> means = {
        static_cast<A>(totals[0] / extent.rows) - share * place.load(gradients.mean, 0),
        static_cast<A>(totals[1] / extent.rows) - share * place.load(gradients.std, 0)};
    const int64_t first = place.part_row(extent) * extent.rows;
#pragma unroll(kMixed ? 1 : 2)
    for (int64_t row = place.first_row; row < place.end_row; row += kTileWarps) {
      const A y = math::standardised(unit.standard, place.load(inputs.x, row));
      const A g = gradient(row, y).z;
      place.store(gradients.x, extent, first + row, math::layer_input_gradient(unit, means, g, y));
    }
  }
  if (kSums && place.has_unit && place.first_row == 0) {
    place.store(gradients.beta, extent, place.network, static_cast<A>(of_beta));
    place.store(gradients.gamma, extent, place.network, static_cast<A>(of_gamma));
  }
}

}  // namespace ebgan::cuda::ladder_layer
