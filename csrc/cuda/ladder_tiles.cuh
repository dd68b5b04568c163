// The ladder family over tiles, which are 32 units of one network wide and some rows high. A warp reads a row of the
// tile, and a thread keeps a unit, whose parameters and sums over rows stay in registers.
//
// Bytes for N elements of b-byte types: combine_rows 2 N b read, N b written; combine_rows_backward and cost_of_rows
// 3 N b read, N b written for each gradient wanted of z_clean, z and u. The sums of a tile, 12 numbers for each unit,
// are written and then read by total_sums, which is a fifth of N b for tiles of 64 rows.
//
// Warps are added up in order, and tiles in order in float64, so the same input gives the same bits.

#pragma once

#include <cstdint>
#include <initializer_list>

#include "cuda/device.h"
#include "cuda/dtype.cuh"
#include "cuda/reduce.cuh"
#include "operators/ladder.h"

namespace ebgan::cuda::ladder {

using namespace ebgan::ladder;

constexpr int kTileUnits = kWarp;
constexpr int kTileWarps = 8;
constexpr int kTileThreads = kTileUnits * kTileWarps;
// The number of sums over rows, which make the gradients of a1 to a10, of mean and of std.
constexpr int kUnitSums = math::kCombinatorParameters + 2;

// Calls body.template operator()<A, kMixed>() on the host, for the types of tensors of which float64 goes only with
// float64. One that is not there counts as float32.
template <typename Body>
void with_types(std::initializer_list<const Source*> tensors, const Body& body) {
  bool mixed = false;
  for (const Source* tensor : tensors) {
    if (tensor->dtype == Dtype::kFloat64) return body.template operator()<double, false>();
    mixed = mixed || tensor->dtype != Dtype::kFloat32;
  }
  mixed ? body.template operator()<float, true>() : body.template operator()<float, false>();
}

// The cut of a layer into tiles of `tile_rows` rows.
struct Cut : Extent {
  int tile_rows;

  __host__ __device__ int64_t row_tiles() const { return ceil_div(rows, tile_rows); }
  __host__ __device__ int64_t unit_tiles() const { return ceil_div(units, kTileUnits); }
  __host__ __device__ int64_t tiles() const { return row_tiles() * unit_tiles(); }
};

// The place at which a thread works. With kMixed types are looked up at every access; else all are A.
template <typename A, bool kMixed>
struct Place {
  int64_t network;
  int64_t tile;  // the number of the tile of rows, counted over all networks
  int64_t unit;
  int64_t first_row;
  int64_t end_row;
  int64_t rows;
  int64_t units;

  __device__ explicit Place(const Cut& cut)
      : network(blockIdx.x / cut.tiles()),
        tile(blockIdx.x / cut.unit_tiles()),
        unit(blockIdx.x % cut.unit_tiles() * kTileUnits + threadIdx.x % kTileUnits),
        rows(cut.rows),
        units(cut.units) {
    const int64_t first = tile % cut.row_tiles() * cut.tile_rows;
    first_row = first + threadIdx.x / kTileUnits;
    end_row = first + cut.tile_rows < rows ? first + cut.tile_rows : rows;
    if (!has_unit()) end_row = 0;
  }

  __device__ bool has_unit() const { return unit < units; }

  __device__ A load(const Rows& from, int64_t row) const {
    const int64_t at = network * from.stride[kNetwork] + row * from.stride[kRow] + unit;
    if constexpr (kMixed) {
      return load_value<A>(from.data, from.dtype, at);
    } else {
      return static_cast<const A*>(from.data)[at];
    }
  }
  __device__ void store(const Result& to, int64_t row, A value) const {
    if (to.data == nullptr) return;
    const int64_t at = (network * rows + row) * units + unit;
    if constexpr (kMixed) {
      store_value<A>(to.data, to.dtype, at, value);
    } else {
      static_cast<A*>(to.data)[at] = value;
    }
  }
  __device__ math::Combinator<A> combinator(const Rows& parameters) const {
    math::Combinator<A> of_unit = {};
    if (!has_unit()) return of_unit;
#pragma unroll
    for (int k = 0; k < math::kCombinatorParameters; ++k) of_unit.a[k] = load(parameters, k);
    return of_unit;
  }
};

// Adds the sums of a tile's threads, warp after warp, and stores the sums of its units.
template <typename A, int kCount>
__device__ void store_sums(const A (&sums)[kCount], int64_t tile, int64_t unit, int64_t units, A* to) {
  __shared__ A shared[kTileWarps][kTileUnits];
  const int lane = static_cast<int>(threadIdx.x) % kTileUnits;
  const int warp = static_cast<int>(threadIdx.x) / kTileUnits;
#pragma unroll
  for (int k = 0; k < kCount; ++k) {
    shared[warp][lane] = sums[k];
    __syncthreads();
    if (warp == k % kTileWarps && unit < units) {
      A total = shared[0][lane];
#pragma unroll
      for (int other = 1; other < kTileWarps; ++other) total += shared[other][lane];
      to[(tile * kUnitSums + k) * units + unit] = total;
    }
    __syncthreads();
  }
}

template <typename A, bool kMixed>
__global__ void __launch_bounds__(kTileThreads)
    combine_rows(const __grid_constant__ Layer layer, const Cut cut) {
  const Place<A, kMixed> place(cut);
  const math::Combinator<A> unit = place.combinator(layer.parameters);
#pragma unroll 2
  for (int64_t row = place.first_row; row < place.end_row; row += kTileWarps) {
    const math::Mixture<A> mixture = math::mixture<A>(unit, place.load(layer.u, row));
    place.store(layer.z_hat, row, mixture.denoised(place.load(layer.z, row)));
  }
}

template <typename A, bool kMixed>
__global__ void __launch_bounds__(kTileThreads)
    combine_rows_backward(const __grid_constant__ Layer layer, const Cut cut, A* const sums_of_tiles) {
  const Place<A, kMixed> place(cut);
  const math::Combinator<A> unit = place.combinator(layer.parameters);
  A sums[math::kCombinatorParameters] = {};
#pragma unroll 2
  for (int64_t row = place.first_row; row < place.end_row; row += kTileWarps) {
    const A z = place.load(layer.z, row);
    const A u = place.load(layer.u, row);
    const A g = place.load(layer.incoming, row);
    const auto gradient = math::combinator_gradient(unit, math::mixture<A>(unit, u), z, u, g, sums);
    place.store(layer.grad_z, row, gradient.z);
    place.store(layer.grad_u, row, gradient.u);
  }
  store_sums(sums, place.tile, place.unit, place.units, sums_of_tiles);
}

// Computes the sum of squares of a tile and, with kGradients, the gradients and their sums.
// Without gradients ptxas aims at five blocks on a multiprocessor and spills 8 bytes (nvcc 13.0, sm_100): two are asked
// for. With them two would leave a thread 128 registers, and float64 spills 16 bytes (sm_110 or sm_120).
template <typename A, bool kMixed, bool kGradients>
__global__ void __launch_bounds__(kTileThreads, kGradients ? 1 : 2)
    cost_of_rows(const __grid_constant__ Layer layer, const Cut cut, const Incoming incoming,
                 A* const sums_of_tiles, A* const squares_of_tiles) {
  const Place<A, kMixed> place(cut);
  if (is_done<A>(incoming, place.network)) return;
  const math::Combinator<A> unit = place.combinator(layer.parameters);
  const A std = place.has_unit() ? place.load(layer.std, 0) : A(1);
  const math::Standard<A> standard = {place.has_unit() ? place.load(layer.mean, 0) : A(0), A(1) / std};
  const A twice_share = 2 * (incoming_at<A>(incoming, place.network) / (A(cut.rows) * A(cut.units)));
  A sums[kUnitSums] = {};
  A squares = 0;
#pragma unroll 2
  for (int64_t row = place.first_row; row < place.end_row; row += kTileWarps) {
    const A clean = place.load(layer.z_clean, row);
    const A z = place.load(layer.z, row);
    const A u = place.load(layer.u, row);
    const math::Mixture<A> mixture = math::mixture<A>(unit, u);
    const A y = math::standardised(standard, mixture.denoised(z));
    const A r = clean - y;
    squares += r * r;
    if constexpr (kGradients) {
      const A grad_z_clean = twice_share * r;
      const A g = -grad_z_clean * standard.inverse_std;
      const auto gradient = math::combinator_gradient(unit, mixture, z, u, g, sums);
      sums[math::kCombinatorParameters] -= g;
      sums[math::kCombinatorParameters + 1] -= g * y;
      place.store(layer.grad_z_clean, row, grad_z_clean);
      place.store(layer.grad_z, row, gradient.z);
      place.store(layer.grad_u, row, gradient.u);
    }
  }
  if constexpr (kGradients) store_sums(sums, place.tile, place.unit, place.units, sums_of_tiles);
  if (squares_of_tiles == nullptr) return;
  __shared__ A scratch[kScratch];
  squares = block_sum(squares, scratch);
  if (threadIdx.x == 0) squares_of_tiles[blockIdx.x] = squares;
}

// Adds the sums of tiles; a thread takes one of the 12 sums of a unit of a network.
template <typename A>
__global__ void __launch_bounds__(kTileThreads)
    total_sums(const __grid_constant__ Layer layer, const Cut cut, const Incoming incoming,
               const A* const sums_of_tiles) {
  const int64_t i = int64_t{blockIdx.x} * kTileThreads + threadIdx.x;
  const int64_t network = i / (kUnitSums * cut.units);
  if (network >= cut.networks || is_done<A>(incoming, network)) return;
  const int which = static_cast<int>(i / cut.units % kUnitSums);
  const int64_t unit = i % cut.units;
  const bool of_parameters = which < math::kCombinatorParameters;
  const bool of_std = which == kUnitSums - 1;
  const Result& to = of_parameters ? layer.grad_parameters : of_std ? layer.grad_std : layer.grad_mean;
  if (to.data == nullptr) return;
  double total = 0;
  for (int64_t tile = 0; tile < cut.row_tiles(); ++tile) {
    const int64_t row = (network * cut.row_tiles() + tile) * kUnitSums + which;
    total += static_cast<double>(sums_of_tiles[row * cut.units + unit]);
  }
  const int64_t row = of_parameters ? network * math::kCombinatorParameters + which : network;
  store_value<A>(to.data, to.dtype, row * cut.units + unit, static_cast<A>(total));
}

// Without elements the cost is 0 / 0 = NaN.
template <typename A>
struct CostOfSum {
  double elements;  // of a network
  A* cost;

  __device__ void operator()(int64_t network, double total) const {
    cost[network] = static_cast<A>(total / elements);
  }
};

}  // namespace ebgan::cuda::ladder
