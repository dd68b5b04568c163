// The step between two dense layers of a ladder network on the CPU: normalisation, noise, beta, gamma, activation.
// For N elements of x:
//
//   ladder_layer            reads x and noise (2N), writes z and h (2N)
//   ladder_layer_backward   reads x, noise and the gradients of z and h (4N), writes the gradient of x (1N)
//
// A thread takes all samples of some units. The parts of a network add to one gradient of beta and gamma, in order,
// so where those are wanted a thread takes all parts too. The same input gives the same bits, whatever the number of
// threads.

#include "operators/ladder_layer.h"

#include <algorithm>

#include "cpu/context.h"
#include "cpu/ladder_layer_kernels.h"
#include "stable/parallel.h"

namespace ebgan::ladder_layer {
namespace {

// The units of a tile: 100 rows of 64 float32 units are 25.6 KB, which stay in a first-level cache.
constexpr int64_t kLayerUnits = 64;

int64_t tiles_of(const Extent& extent) { return (extent.units + kLayerUnits - 1) / kLayerUnits; }

// A part of a network, and the units of it from `unit` on.
struct Place {
  const Extent& extent;
  int64_t network;
  int64_t part;
  int64_t unit;

  int64_t units() const { return std::min(kLayerUnits, extent.units - unit); }

  Rows rows(const Parts& tensor) const {
    const int64_t at = network * tensor.stride[kNetwork] + part * tensor.stride[kPart] + unit;
    if (tensor.data == nullptr) return {};
    return {{offset(tensor.data, tensor.dtype, at), tensor.dtype}, tensor.stride[kRow]};
  }
  // The rows of a packed (..., P, N, D), or of (..., P, D) where a part has one.
  ResultRows results(const Result& tensor, int64_t rows_of_part) const {
    const int64_t at = (network * extent.parts + part) * rows_of_part * extent.units + unit;
    return {{offset(tensor.data, tensor.dtype, at), tensor.dtype}, extent.units};
  }
  LayerTile tile(const Inputs& inputs) const {
    LayerTile tile;
    tile.rows = extent.rows;
    tile.units = units();
    tile.relu = inputs.relu;
    tile.x = rows(inputs.x);
    tile.noise = rows(inputs.noise);
    tile.beta = rows(inputs.beta);
    tile.gamma = rows(inputs.gamma);
    return tile;
  }
};

// Calls body(network, first part, last part, unit) for the first unit of every tile; with `together` a tile takes all
// parts of a network.
template <typename Body>
void for_each_tile(const Extent& extent, bool together, const Body& body) {
  const int64_t in_turn = together ? extent.parts : 1;
  const int64_t turns = together ? 1 : extent.parts;
  const int64_t of_tile = std::max<int64_t>(1, in_turn * extent.rows * std::min(kLayerUnits, extent.units));
  parallel_for(extent.networks * turns * tiles_of(extent), std::max<int64_t>(1, kGrain / of_tile),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t turn = i / tiles_of(extent);
                   const int64_t part = turn % turns * in_turn;
                   body(turn / turns, part, part + in_turn, i % tiles_of(extent) * kLayerUnits);
                 }
               });
}

struct CpuKernels {
  using Context = CpuContext;

  static void forward(const Context&, const Inputs& inputs, const Outputs& outputs) {
    const Extent& extent = inputs.extent;
    for_each_tile(extent, false, [&](int64_t network, int64_t part, int64_t, int64_t unit) {
      const Place place = {extent, network, part, unit};
      LayerResults results;
      results.z = place.results(outputs.z, extent.rows);
      results.h = place.results(outputs.h, extent.rows);
      results.mean = place.results(outputs.mean, 1);
      results.std = place.results(outputs.std, 1);
      layer_kernels().forward(place.tile(inputs), results);
    });
  }

  static void backward(const Context&, const Inputs& inputs, const Parts& mean, const Parts& std,
                       const Gradients& gradients) {
    const Extent& extent = inputs.extent;
    const bool summed = gradients.wants_sums();
    for_each_tile(extent, summed, [&](int64_t network, int64_t first, int64_t last, int64_t unit) {
      double sums_of_beta[kLayerUnits] = {};
      double sums_of_gamma[kLayerUnits] = {};
      for (int64_t part = first; part < last; ++part) {
        const Place place = {extent, network, part, unit};
        LayerGradients of_tile;
        of_tile.z = place.rows(gradients.z);
        of_tile.h = place.rows(gradients.h);
        of_tile.mean = place.rows(gradients.mean);
        of_tile.std = place.rows(gradients.std);
        of_tile.x = place.results(gradients.x, extent.rows);
        of_tile.beta = summed ? sums_of_beta : nullptr;
        of_tile.gamma = gradients.gamma.data ? sums_of_gamma : nullptr;
        layer_kernels().backward(place.tile(inputs), place.rows(mean), place.rows(std), of_tile);
      }
      const auto write = [&](const Result& to, const double* sums) {
        const int64_t units = std::min(kLayerUnits, extent.units - unit);
        if (to.data) write_values(to.data, to.dtype, network * extent.units + unit, sums, units);
      };
      write(gradients.beta, sums_of_beta);
      write(gradients.gamma, sums_of_gamma);
    });
  }
};

}  // namespace
}  // namespace ebgan::ladder_layer

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CPU, library) {
  ebgan::ladder_layer::implement<ebgan::ladder_layer::CpuKernels>(library);
}
