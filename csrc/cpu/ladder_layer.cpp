// The step between two dense layers of a ladder network on the CPU: normalisation, noise, beta, gamma, activation.
// For N elements of x:
//
//   ladder_layer            reads x and noise (2N), writes z and h (2N)
//   ladder_layer_backward   reads x, noise and the gradients of z and h (4N), writes the gradient of x (1N)
//
// A thread takes all samples of some units. The parts of a network add to one gradient of beta and gamma, in order,
// so where those are wanted a thread takes all parts too. The same input gives the same bits, whatever the number of
// threads.

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

#include "cpu/ladder_layer_kernels.h"
#include "cpu/pages.h"
#include "cpu/values.h"
#include "stable/parallel.h"

namespace ebgan {
namespace {

using Optional = std::optional<Tensor>;

// The units of a tile: 100 rows of 64 float32 units are 25.6 KB, which stay in a first-level cache.
constexpr int64_t kLayerUnits = 64;

// The extent of x as (networks, parts, rows, units); the networks are all its axes before the parts.
struct LayerExtent {
  int64_t leading_axes;
  int64_t networks;
  int64_t parts;
  int64_t rows;
  int64_t units;

  explicit LayerExtent(const Tensor& x)
      : leading_axes(x.dim() - 3), networks(1), parts(x.size(-3)), rows(x.size(-2)), units(x.size(-1)) {
    for (int64_t axis = 0; axis < leading_axes; ++axis) networks *= x.size(axis);
  }
  int64_t tiles() const { return (units + kLayerUnits - 1) / kLayerUnits; }
};

// The place of a tile in a tensor (..., P, N, D), (..., P, D) or (..., D).
struct Place {
  int64_t network;
  int64_t part;
  int64_t unit;
};

Rows rows_at(const Tensor& tensor, const LayerExtent& extent, const Place& place) {
  const int64_t axes = extent.leading_axes;
  const int64_t more = tensor.dim() - axes;
  const int64_t at = (axes > 0 ? place.network * tensor.stride(axes - 1) : 0) +
                     (more > 1 ? place.part * tensor.stride(axes) : 0) + place.unit;
  const Dtype dtype = dtype_of(tensor);
  return {offset(tensor.const_data_ptr(), dtype, at), dtype, more > 2 ? tensor.stride(axes + 1) : 0};
}

Rows rows_at(const Optional& tensor, const LayerExtent& extent, const Place& place) {
  return tensor ? rows_at(*tensor, extent, place) : Rows{nullptr, Dtype::kFloat32, 0};
}

// The rows of a tile in a packed (..., P, N, D), or in (..., P, D) with `rows` 1. A tensor of no elements stands for
// a result that is not wanted.
ResultRows results_at(const Tensor& tensor, int64_t rows, const LayerExtent& extent, const Place& place) {
  if (tensor.numel() == 0) return {};
  const Dtype dtype = dtype_of(tensor);
  const int64_t at = (place.network * extent.parts + place.part) * rows * extent.units + place.unit;
  return {offset(tensor.mutable_data_ptr(), dtype, at), dtype, extent.units};
}

LayerTile tile_at(const LayerExtent& extent, const Place& place, const Tensor& x, const Optional& noise,
                  const Optional& beta, const Optional& gamma, bool relu) {
  return {extent.rows,
          std::min(kLayerUnits, extent.units - place.unit),
          relu,
          rows_at(x, extent, place),
          rows_at(noise, extent, place),
          rows_at(beta, extent, place),
          rows_at(gamma, extent, place)};
}

void take_huge_pages(const Tensor& tensor) {
  if (tensor.numel() == 0) return;
  prefer_huge_pages(tensor.mutable_data_ptr(), tensor.numel() * element_size(dtype_of(tensor)));
}

// Calls body(network, first part, last part, unit) for the first unit of every tile; with `together` a tile takes all
// parts of a network.
template <typename Body>
void for_each_tile(const LayerExtent& extent, bool together, const Body& body) {
  const int64_t in_turn = together ? extent.parts : 1;
  const int64_t turns = together ? 1 : extent.parts;
  const int64_t of_tile = std::max<int64_t>(1, in_turn * extent.rows * std::min(kLayerUnits, extent.units));
  parallel_for(extent.networks * turns * extent.tiles(), std::max<int64_t>(1, kGrain / of_tile),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t turn = i / extent.tiles();
                   const int64_t part = turn % turns * in_turn;
                   body(turn / turns, part, part + in_turn, i % extent.tiles() * kLayerUnits);
                 }
               });
}

std::tuple<Tensor, Tensor, Tensor, Tensor> ladder_layer(const Tensor& x, const Optional& noise,
                                                        const Optional& beta, const Optional& gamma,
                                                        bool relu) {
  const LayerExtent extent(x);
  const Dtype dtype = accumulation_dtype(dtype_of(x));
  std::vector<int64_t> of_parts(x.sizes().begin(), x.sizes().end() - 2);
  of_parts.push_back(extent.units);
  Tensor z = packed_gradient(x, true);
  Tensor h = packed_gradient(x, relu || beta || gamma);
  Tensor mean = empty_contiguous(of_parts, dtype, x);
  Tensor std = empty_contiguous(of_parts, dtype, x);
  take_huge_pages(z);
  take_huge_pages(h);
  for_each_tile(extent, false, [&](int64_t network, int64_t part, int64_t, int64_t unit) {
    const Place place = {network, part, unit};
    layer_kernels().forward(
        tile_at(extent, place, x, noise, beta, gamma, relu),
        {results_at(z, extent.rows, extent, place), results_at(h, extent.rows, extent, place),
         results_at(mean, 1, extent, place), results_at(std, 1, extent, place)});
  });
  return {z, h, mean, std};
}

std::tuple<Tensor, Tensor, Tensor> ladder_layer_backward(const Optional& grad_z, const Optional& grad_h,
                                                         const Optional& grad_mean, const Optional& grad_std,
                                                         const Tensor& x, const Optional& noise,
                                                         const Optional& beta, const Optional& gamma,
                                                         const Tensor& mean, const Tensor& std, bool relu,
                                                         bool need_x, bool need_beta, bool need_gamma) {
  const LayerExtent extent(x);
  Tensor grad_x = packed_gradient(x, need_x);
  Tensor grad_beta = packed_gradient(beta ? *beta : x, need_beta);
  Tensor grad_gamma = packed_gradient(gamma ? *gamma : x, need_gamma);
  take_huge_pages(grad_x);
  const bool summed = need_beta || need_gamma;
  for_each_tile(extent, summed, [&](int64_t network, int64_t first, int64_t last, int64_t unit) {
    double sums_of_beta[kLayerUnits] = {};
    double sums_of_gamma[kLayerUnits] = {};
    for (int64_t part = first; part < last; ++part) {
      const Place place = {network, part, unit};
      layer_kernels().backward(
          tile_at(extent, place, x, noise, beta, gamma, relu), rows_at(mean, extent, place),
          rows_at(std, extent, place),
          {rows_at(grad_z, extent, place), rows_at(grad_h, extent, place), rows_at(grad_mean, extent, place),
           rows_at(grad_std, extent, place), results_at(grad_x, extent.rows, extent, place),
           summed ? sums_of_beta : nullptr, need_gamma ? sums_of_gamma : nullptr});
    }
    const auto write = [&](const Tensor& tensor, const double* sums) {
      write_values(tensor.mutable_data_ptr(), dtype_of(tensor), network * extent.units + unit, sums,
                   std::min(kLayerUnits, extent.units - unit));
    };
    if (need_beta) write(grad_beta, sums_of_beta);
    if (need_gamma) write(grad_gamma, sums_of_gamma);
  });
  return {grad_x, grad_beta, grad_gamma};
}

}  // namespace
}  // namespace ebgan

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CPU, library) {
  library.impl("ladder_layer", TORCH_BOX(&ebgan::ladder_layer));
  library.impl("ladder_layer_backward", TORCH_BOX(&ebgan::ladder_layer_backward));
}
