// Batches of the ladder family on the CPU, and how networks, rows and units are shared among threads.
//
// A network's rows are cut into blocks and its units into tiles, evenly and whatever the number of threads. Each
// block keeps its own sums over rows, in float32 (float64 for float64), since a lane adds at most 64 terms. They are
// added in order in float64, so the same input gives the same bits.

#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "cpu/ladder_kernels.h"
#include "cpu/pages.h"
#include "cpu/values.h"
#include "stable/parallel.h"

namespace ebgan {

constexpr int64_t kBlockRows = 64;
constexpr int64_t kTileUnits = 256;
constexpr int64_t kUnitAlignment = 16;  // a cache line of float32

// The extent of z as (networks, rows, units); the networks are all its leading axes.
struct LadderExtent {
  int64_t leading_axes;
  int64_t networks;
  int64_t rows;
  int64_t units;

  int64_t row_blocks() const { return (rows + kBlockRows - 1) / kBlockRows; }
  int64_t tile_units() const {
    const int64_t tiles = std::max<int64_t>(1, (units + kTileUnits - 1) / kTileUnits);
    const int64_t share = (units + tiles - 1) / tiles;
    return (share + kUnitAlignment - 1) / kUnitAlignment * kUnitAlignment;
  }
  int64_t tiles() const { return units == 0 ? 0 : (units + tile_units() - 1) / tile_units(); }
  int64_t first_row(int64_t block) const { return rows * block / row_blocks(); }
};

inline LadderExtent ladder_extent(const Tensor& z) {
  LadderExtent extent = {z.dim() - 2, 1, z.size(-2), z.size(-1)};
  for (int64_t axis = 0; axis < extent.leading_axes; ++axis) extent.networks *= z.size(axis);
  return extent;
}

// A tensor of an operator as the rows of all networks; a tensor (..., D) has one row for each.
template <typename View>
struct NetworkRows {
  View rows = {};
  int64_t network_stride = 0;

  View at(int64_t network, int64_t row, int64_t unit) const {
    View view = rows;
    if (view.data == nullptr) return view;
    view.data = offset(rows.data, rows.dtype, network * network_stride + row * rows.stride + unit);
    return view;
  }
};

inline NetworkRows<Rows> rows_of(const Tensor& tensor, const LadderExtent& extent) {
  const int64_t axes = extent.leading_axes;
  const bool has_rows = tensor.dim() > axes + 1;
  return {{tensor.const_data_ptr(), dtype_of(tensor), has_rows ? tensor.stride(axes) : 0},
          axes > 0 ? tensor.stride(axes - 1) : 0};
}

// A tensor of no elements stands for a gradient that is not wanted.
inline NetworkRows<ResultRows> result_rows(const Tensor& tensor, const LadderExtent& extent) {
  if (tensor.numel() == 0) return {};
  void* const data = tensor.mutable_data_ptr();
  prefer_huge_pages(data, tensor.numel() * element_size(dtype_of(tensor)));
  return {{data, dtype_of(tensor), extent.units}, extent.rows * extent.units};
}

// The tensors that tiles are cut from.
struct LadderBatch {
  NetworkRows<Rows> z_clean;
  NetworkRows<Rows> z;
  NetworkRows<Rows> u;
  NetworkRows<Rows> incoming;
  NetworkRows<Rows> parameters;
  NetworkRows<Rows> mean;
  NetworkRows<Rows> std;
  NetworkRows<ResultRows> z_hat;
  NetworkRows<ResultRows> grad_z_clean;
  NetworkRows<ResultRows> grad_z;
  NetworkRows<ResultRows> grad_u;
  bool streamed = false;
};

// The sums over samples, block by block, in float64 for float64 inputs and else in float32.
class BlockSums {
 public:
  BlockSums(const LadderExtent& extent, Dtype dtype, bool wanted)
      : extent_(extent),
        precise_(dtype == Dtype::kFloat64),
        stride_(wanted ? extent.units : 0),
        values_(new float[static_cast<size_t>(extent.networks * extent.row_blocks() * kUnitSums * stride_ *
                                              (precise_ ? 2 : 1))]) {}

  void* at(int64_t network, int64_t block, int64_t unit) {
    return values_.get() + (index(network, block, 0) + unit) * (precise_ ? 2 : 1);
  }
  int64_t stride() const { return stride_; }

  // Adds one of the kUnitSums over a network's blocks, for units [begin, end).
  void total(int64_t network, int which, int64_t begin, int64_t end, double* to) const {
    std::fill(to, to + (end - begin), 0.0);
    for (int64_t block = 0; block < extent_.row_blocks(); ++block) {
      const int64_t from = index(network, block, which) + begin;
      if (precise_) {
        const double* values = reinterpret_cast<const double*>(values_.get()) + from;
        for (int64_t i = 0; i < end - begin; ++i) to[i] += values[i];
      } else {
        const float* values = values_.get() + from;
        for (int64_t i = 0; i < end - begin; ++i) to[i] += static_cast<double>(values[i]);
      }
    }
  }

 private:
  int64_t index(int64_t network, int64_t block, int which) const {
    return ((network * extent_.row_blocks() + block) * kUnitSums + which) * stride_;
  }

  LadderExtent extent_;
  bool precise_;
  int64_t stride_;
  std::unique_ptr<float[]> values_;
};

// Calls body(i, network, tile) for all tiles; the numbers i of a network's tiles follow each other.
template <typename Body>
void for_each_tile(const LadderExtent& extent, const LadderBatch& batch, BlockSums& sums, const Body& body) {
  const int64_t tiles = extent.tiles();
  const int64_t blocks = extent.row_blocks();
  // An element takes about forty times the arithmetic of the operators that kGrain is meant for. The divisor 8 was
  // not measured.
  const int64_t of_tile = std::max<int64_t>(1, kBlockRows * extent.tile_units());
  parallel_for(extent.networks * blocks * tiles, std::max<int64_t>(1, kGrain / 8 / of_tile),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t network = i / (blocks * tiles);
                   const int64_t block = i / tiles % blocks;
                   const int64_t unit = i % tiles * extent.tile_units();
                   const int64_t row = extent.first_row(block);
                   body(i, network,
                        LadderTile{extent.first_row(block + 1) - row,
                                   std::min(extent.tile_units(), extent.units - unit),
                                   batch.z_clean.at(network, row, unit), batch.z.at(network, row, unit),
                                   batch.u.at(network, row, unit), batch.incoming.at(network, row, unit),
                                   batch.parameters.at(network, 0, unit), batch.mean.at(network, 0, unit),
                                   batch.std.at(network, 0, unit), batch.z_hat.at(network, row, unit),
                                   batch.grad_z_clean.at(network, row, unit),
                                   batch.grad_z.at(network, row, unit), batch.grad_u.at(network, row, unit),
                                   sums.at(network, block, unit), sums.stride(), 0, batch.streamed});
                 }
               });
}

}  // namespace ebgan
