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
#include "operators/ladder.h"
#include "stable/parallel.h"

namespace ebgan::ladder {

constexpr int64_t kBlockRows = 64;
constexpr int64_t kTileUnits = 256;
constexpr int64_t kUnitAlignment = 16;  // a cache line of float32

// The cut of a layer into blocks of rows and tiles of units.
struct Cut : Extent {
  explicit Cut(const Extent& extent) : Extent(extent) {}

  int64_t row_blocks() const { return (rows + kBlockRows - 1) / kBlockRows; }
  int64_t tile_units() const {
    const int64_t tiles = std::max<int64_t>(1, (units + kTileUnits - 1) / kTileUnits);
    const int64_t share = (units + tiles - 1) / tiles;
    return (share + kUnitAlignment - 1) / kUnitAlignment * kUnitAlignment;
  }
  int64_t tiles() const { return units == 0 ? 0 : (units + tile_units() - 1) / tile_units(); }
  int64_t first_row(int64_t block) const { return rows * block / row_blocks(); }
};

// The sums over samples, block by block, in float64 for float64 inputs and else in float32.
class BlockSums {
 public:
  BlockSums(const Layer& layer, bool wanted)
      : cut_(layer.extent),
        precise_(layer.z.dtype == Dtype::kFloat64),
        stride_(wanted ? cut_.units : 0),
        values_(new float[static_cast<size_t>(cut_.networks * cut_.row_blocks() * kUnitSums * stride_ *
                                              (precise_ ? 2 : 1))]) {}

  void* at(int64_t network, int64_t block, int64_t unit) {
    return values_.get() + (index(network, block, 0) + unit) * (precise_ ? 2 : 1);
  }
  int64_t stride() const { return stride_; }

  // Adds one of the kUnitSums over a network's blocks, for units [begin, end).
  void total(int64_t network, int which, int64_t begin, int64_t end, double* to) const {
    std::fill(to, to + (end - begin), 0.0);
    for (int64_t block = 0; block < cut_.row_blocks(); ++block) {
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
    return ((network * cut_.row_blocks() + block) * kUnitSums + which) * stride_;
  }

  Cut cut_;
  bool precise_;
  int64_t stride_;
  std::unique_ptr<float[]> values_;
};

// A tile of some rows of some units of one network, without its sums.
inline LadderTile tile_of(const Layer& layer, bool streamed, int64_t network, int64_t row, int64_t unit) {
  const auto at = [&](const Rows& tensor, int64_t first_row) -> ebgan::Rows {
    if (tensor.data == nullptr) return {};
    const int64_t first = network * tensor.stride[kNetwork] + first_row * tensor.stride[kRow] + unit;
    return {{offset(tensor.data, tensor.dtype, first), tensor.dtype}, tensor.stride[kRow]};
  };
  const auto result_at = [&](const Result& tensor) -> ResultRows {
    const int64_t first = (network * layer.extent.rows + row) * layer.extent.units + unit;
    return {{offset(tensor.data, tensor.dtype, first), tensor.dtype}, layer.extent.units};
  };
  LadderTile tile = {};
  tile.z_clean = at(layer.z_clean, row);
  tile.z = at(layer.z, row);
  tile.u = at(layer.u, row);
  tile.incoming = at(layer.incoming, row);
  tile.parameters = at(layer.parameters, 0);
  tile.mean = at(layer.mean, 0);
  tile.std = at(layer.std, 0);
  tile.z_hat = result_at(layer.z_hat);
  tile.grad_z_clean = result_at(layer.grad_z_clean);
  tile.grad_z = result_at(layer.grad_z);
  tile.grad_u = result_at(layer.grad_u);
  tile.streamed = streamed;
  return tile;
}

// Whether so much is written that it leaves the caches before it is read.
inline bool is_streamed(const Layer& layer) {
  int64_t bytes = 0;
  for (const Result* gradient : {&layer.grad_z_clean, &layer.grad_z, &layer.grad_u}) {
    if (gradient->data)
      bytes += layer.extent.networks * layer.extent.elements() * element_size(gradient->dtype);
  }
  return bytes > kStreamedBytes;
}

// Calls body(i, network, tile) for all tiles; the numbers i of a network's tiles follow each other.
template <typename Body>
void for_each_tile(const Layer& layer, bool streamed, BlockSums& sums, const Body& body) {
  const Cut cut(layer.extent);
  const int64_t tiles = cut.tiles();
  const int64_t blocks = cut.row_blocks();
  // An element takes about forty times the arithmetic of the operators that kGrain is meant for. The divisor 8 was
  // not measured.
  const int64_t of_tile = std::max<int64_t>(1, kBlockRows * cut.tile_units());
  parallel_for(cut.networks * blocks * tiles, std::max<int64_t>(1, kGrain / 8 / of_tile),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t network = i / (blocks * tiles);
                   const int64_t block = i / tiles % blocks;
                   const int64_t unit = i % tiles * cut.tile_units();
                   const int64_t row = cut.first_row(block);
                   LadderTile tile = tile_of(layer, streamed, network, row, unit);
                   tile.rows = cut.first_row(block + 1) - row;
                   tile.units = std::min(cut.tile_units(), cut.units - unit);
                   tile.sums = sums.at(network, block, unit);
                   tile.sum_stride = sums.stride();
                   body(i, network, tile);
                 }
               });
}

}  // namespace ebgan::ladder
