// The ladder family on CUDA: the Gaussian combinator, and the denoising cost of a layer with all its gradients in
// one pass. Formulas: math/ladder.h; kernels and bytes: ladder_tiles.cuh.

#include <initializer_list>
#include <tuple>

#include "cuda/device.h"
#include "cuda/ladder_tiles.cuh"
#include "stable/cuda.h"
#include "stable/tensor.h"

namespace ebgan::cuda::ladder {
namespace {

// The most rows of a tile, whose sums then add a fifth to the traffic. Tiles are lower where there would be fewer
// than kEnoughTiles, about 8 for each multiprocessor of a large device; other bounds were not measured.
constexpr int kMostTileRows = 64;
constexpr int64_t kEnoughTiles = 1024;

int64_t leading_axes(const Tensor& z) { return z.dim() - 2; }

Extent extent_of(const Tensor& z) {
  Extent extent = {1, z.size(-2), z.size(-1), kTileWarps};
  for (int64_t axis = 0; axis < leading_axes(z); ++axis) extent.networks *= z.size(axis);
  while (extent.tile_rows < kMostTileRows) {
    Extent higher = extent;
    higher.tile_rows *= 2;
    if (higher.networks * higher.tiles() < kEnoughTiles) break;
    extent = higher;
  }
  return extent;
}

// The rows of a tensor (..., N, D), or of (..., D) as one row, with `axes` leading axes.
Rows rows_of(const Tensor& tensor, int64_t axes) {
  const bool has_rows = tensor.dim() > axes + 1;
  return {tensor.const_data_ptr(), dtype_of(tensor), axes > 0 ? tensor.stride(axes - 1) : 0,
          has_rows ? tensor.stride(axes) : 0};
}

// A buffer of no elements stands for a gradient that is not wanted.
ResultRows results_of(const Tensor& tensor) {
  return {tensor.numel() == 0 ? nullptr : tensor.mutable_data_ptr(), dtype_of(tensor)};
}

bool is_mixed(const Layer& layer) {
  for (const Rows* rows :
       {&layer.z_clean, &layer.z, &layer.u, &layer.incoming, &layer.parameters, &layer.mean, &layer.std}) {
    if (rows->dtype == Dtype::kFloat16 || rows->dtype == Dtype::kBFloat16) return true;
  }
  return false;
}

// Calls body.template operator()<A, kMixed>() for the types of a layer.
template <typename Body>
void with_types(const Layer& layer, const Body& body) {
  if (layer.z.dtype == Dtype::kFloat64) return body.template operator()<double, false>();
  is_mixed(layer) ? body.template operator()<float, true>() : body.template operator()<float, false>();
}

LaunchShape shape_of(const Extent& extent) { return {extent.networks * extent.tiles(), kTileThreads}; }

Tensor empty_sums(const Extent& extent, const Tensor& z) {
  return empty_vector(extent.networks * extent.row_tiles() * kUnitSums * extent.units,
                      accumulation_dtype(dtype_of(z)), z);
}

template <typename A>
void launch_total(const A* sums, const Extent& extent, const Incoming<A>& incoming, const UnitGradients& to,
                  cudaStream_t stream) {
  if (!to.wanted()) return;
  const int64_t threads = extent.networks * kUnitSums * extent.units;
  launch(total_sums<A>, LaunchShape{ceil_div(threads, kTileThreads), kTileThreads}, stream, sums, extent,
         incoming, to);
}

Layer layer_of(const Tensor& z_clean, const Tensor& z, const Tensor& u, const Tensor& parameters,
               const Tensor& mean, const Tensor& std, const Tensor& grad_z_clean, const Tensor& grad_z,
               const Tensor& grad_u) {
  const int64_t axes = leading_axes(z);
  Layer layer;
  layer.z_clean = rows_of(z_clean, axes);
  layer.z = rows_of(z, axes);
  layer.u = rows_of(u, axes);
  layer.parameters = rows_of(parameters, axes);
  layer.mean = rows_of(mean, axes);
  layer.std = rows_of(std, axes);
  layer.grad_z_clean = results_of(grad_z_clean);
  layer.grad_z = results_of(grad_z);
  layer.grad_u = results_of(grad_u);
  return layer;
}

// Launches the kernels that compute gradients for `incoming`, and sums of squares where `squares` is not null.
template <typename A, bool kMixed>
void launch_gradients(const Layer& layer, const Extent& extent, const Incoming<A>& incoming,
                      const UnitGradients& to, const Tensor& z, A* squares, cudaStream_t stream) {
  const Tensor sums = empty_sums(extent, z);
  A* const of_tiles = static_cast<A*>(sums.mutable_data_ptr());
  launch(cost_of_rows<A, kMixed, true>, shape_of(extent), stream, layer, extent, incoming, of_tiles, squares);
  launch_total<A>(of_tiles, extent, incoming, to, stream);
}

// --- operators: schemas in ebgan_kernels/native/ladder.py ----------------------------------------

Tensor gaussian_combinator(const Tensor& z, const Tensor& u, const Tensor& parameters) {
  const CudaContext cuda(z);
  const int64_t axes = leading_axes(z);
  const Tensor z_hat = packed_gradient(z, true);
  const Extent extent = extent_of(z);
  Layer layer;
  layer.z = rows_of(z, axes);
  layer.u = rows_of(u, axes);
  layer.parameters = rows_of(parameters, axes);
  layer.z_hat = results_of(z_hat);
  with_types(layer, [&]<typename A, bool kMixed>() {
    launch(combine_rows<A, kMixed>, shape_of(extent), cuda.stream(), layer, extent);
  });
  return z_hat;
}

std::tuple<Tensor, Tensor, Tensor> gaussian_combinator_backward(const Tensor& grad, const Tensor& z,
                                                                const Tensor& u, const Tensor& parameters,
                                                                bool need_z, bool need_u,
                                                                bool need_parameters) {
  const CudaContext cuda(z);
  const int64_t axes = leading_axes(z);
  const Tensor grad_z = packed_gradient(z, need_z);
  const Tensor grad_u = packed_gradient(u, need_u);
  const Tensor grad_parameters = packed_gradient(parameters, need_parameters);
  const Extent extent = extent_of(z);
  Layer layer;
  layer.z = rows_of(z, axes);
  layer.u = rows_of(u, axes);
  layer.incoming = rows_of(grad, axes);
  layer.parameters = rows_of(parameters, axes);
  layer.grad_z = results_of(grad_z);
  layer.grad_u = results_of(grad_u);
  const Tensor sums = empty_sums(extent, z);
  with_types(layer, [&]<typename A, bool kMixed>() {
    A* const of_tiles = static_cast<A*>(sums.mutable_data_ptr());
    launch(combine_rows_backward<A, kMixed>, shape_of(extent), cuda.stream(), layer, extent, of_tiles);
    launch_total<A>(of_tiles, extent, {}, {results_of(grad_parameters), {}, {}}, cuda.stream());
  });
  return {grad_z, grad_u, grad_parameters};
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor> ladder_denoising_cost(
    const Tensor& z_clean, const Tensor& z, const Tensor& u, const Tensor& parameters, const Tensor& mean,
    const Tensor& std, bool need_z_clean, bool need_z, bool need_u, bool need_parameters, bool need_mean,
    bool need_std) {
  const CudaContext cuda(z);
  const Dtype dtype = accumulation_dtype(dtype_of(z));
  const Tensor cost = empty_contiguous({z.sizes().begin(), z.sizes().end() - 2}, dtype, z);
  const Tensor grad_z_clean = packed_gradient(z_clean, need_z_clean);
  const Tensor grad_z = packed_gradient(z, need_z);
  const Tensor grad_u = packed_gradient(u, need_u);
  const Tensor grad_parameters = packed_gradient(parameters, need_parameters);
  const Tensor grad_mean = packed_gradient(mean, need_mean);
  const Tensor grad_std = packed_gradient(std, need_std);
  const Extent extent = extent_of(z);
  const Layer layer = layer_of(z_clean, z, u, parameters, mean, std, grad_z_clean, grad_z, grad_u);
  const UnitGradients to = {results_of(grad_parameters), results_of(grad_mean), results_of(grad_std)};
  const Tensor squares_of_tiles = empty_vector(extent.networks * extent.tiles(), dtype, z);
  with_types(layer, [&]<typename A, bool kMixed>() {
    A* const squares = static_cast<A*>(squares_of_tiles.mutable_data_ptr());
    if (need_z_clean || need_z || need_u || to.wanted()) {
      launch_gradients<A, kMixed>(layer, extent, {}, to, z, squares, cuda.stream());
    } else {
      launch(cost_of_rows<A, kMixed, false>, shape_of(extent), cuda.stream(), layer, extent, Incoming<A>{},
             static_cast<A*>(nullptr), squares);
    }
    launch(cost_of_tiles<A>, LaunchShape{extent.networks, kTileThreads}, cuda.stream(), squares, extent,
           static_cast<A*>(cost.mutable_data_ptr()));
  });
  return {cost, grad_z_clean, grad_z, grad_u, grad_parameters, grad_mean, grad_std};
}

void ladder_denoising_cost_backward(const Tensor& grad_z_clean, const Tensor& grad_z, const Tensor& grad_u,
                                    const Tensor& grad_parameters, const Tensor& grad_mean,
                                    const Tensor& grad_std, const Tensor& grad_cost, const Tensor& z_clean,
                                    const Tensor& z, const Tensor& u, const Tensor& parameters,
                                    const Tensor& mean, const Tensor& std, bool filled) {
  const CudaContext cuda(z);
  const Layer layer = layer_of(z_clean, z, u, parameters, mean, std, grad_z_clean, grad_z, grad_u);
  const UnitGradients to = {results_of(grad_parameters), results_of(grad_mean), results_of(grad_std)};
  with_types(layer, [&]<typename A, bool kMixed>() {
    const Incoming<A> incoming = {static_cast<const A*>(grad_cost.const_data_ptr()),
                                  grad_cost.dim() == 0 ? 0 : grad_cost.stride(0), filled};
    launch_gradients<A, kMixed>(layer, extent_of(z), incoming, to, z, nullptr, cuda.stream());
  });
}

}  // namespace
}  // namespace ebgan::cuda::ladder

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CUDA, library) {
  library.impl("gaussian_combinator", TORCH_BOX(&ebgan::cuda::ladder::gaussian_combinator));
  library.impl("gaussian_combinator_backward", TORCH_BOX(&ebgan::cuda::ladder::gaussian_combinator_backward));
  library.impl("ladder_denoising_cost", TORCH_BOX(&ebgan::cuda::ladder::ladder_denoising_cost));
  library.impl("ladder_denoising_cost_backward_",
               TORCH_BOX(&ebgan::cuda::ladder::ladder_denoising_cost_backward));
}
