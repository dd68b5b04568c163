// The ladder family on the CPU. For N elements of z:
//
//   gaussian_combinator               2N read, 1N written
//   gaussian_combinator_backward      3N read, 1N written for each gradient of z and u
//   ladder_denoising_cost             3N read, 1N written for each gradient of z_clean, z and u
//   ladder_denoising_cost_backward_   the same; nothing for networks where it is filled and the incoming gradient
//                                     is 1
//
// Parameters, statistics and their gradients have D elements a row. For every 64 rows 12 D sums are written and
// read, which is a fifth of N.

#include <tuple>
#include <vector>

#include "cpu/ladder_batch.h"

namespace ebgan {
namespace {

// The gradients that a network's sums over samples make: the ten rows of the parameters', and those of mean and std.
struct UnitGradients {
  const Tensor& parameters;
  const Tensor* mean;
  const Tensor* std;

  bool wanted() const {
    return parameters.numel() != 0 || (mean && mean->numel() != 0) || (std && std->numel() != 0);
  }
};

template <typename Skipped>
void write_unit_gradients(const LadderExtent& extent, const BlockSums& sums, const UnitGradients& to,
                          const Skipped& skipped) {
  if (!to.wanted()) return;
  const auto write = [&](const Tensor& tensor, int64_t row, int64_t network, int which) {
    if (tensor.numel() == 0) return;
    const Dtype dtype = dtype_of(tensor);
    void* const data = tensor.mutable_data_ptr();
    double totals[kTileUnits];
    for (int64_t begin = 0; begin < extent.units; begin += kTileUnits) {
      const int64_t end = std::min(begin + kTileUnits, extent.units);
      sums.total(network, which, begin, end, totals);
      write_values(data, dtype, row * extent.units + begin, totals, end - begin);
    }
  };
  const int64_t of_row = std::max<int64_t>(1, extent.units * extent.row_blocks());
  parallel_for(extent.networks * kUnitSums, std::max<int64_t>(1, kGrain / of_row),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t network = i / kUnitSums;
                   const int which = static_cast<int>(i % kUnitSums);
                   if (skipped(network)) continue;
                   if (which < math::kCombinatorParameters) {
                     write(to.parameters, network * math::kCombinatorParameters + which, network, which);
                   } else if (const Tensor* tensor = which == kUnitSums - 1 ? to.std : to.mean) {
                     write(*tensor, network, network, which);
                   }
                 }
               });
}

Tensor gaussian_combinator(const Tensor& z, const Tensor& u, const Tensor& parameters) {
  Tensor z_hat = packed_gradient(z, true);
  const LadderExtent extent = ladder_extent(z);
  LadderBatch batch;
  batch.z = rows_of(z, extent);
  batch.u = rows_of(u, extent);
  batch.parameters = rows_of(parameters, extent);
  batch.z_hat = result_rows(z_hat, extent);
  BlockSums none(extent, dtype_of(z), false);
  for_each_tile(extent, batch, none,
                [](int64_t, int64_t, const LadderTile& tile) { ladder_kernels().combine(tile); });
  return z_hat;
}

std::tuple<Tensor, Tensor, Tensor> gaussian_combinator_backward(const Tensor& grad, const Tensor& z,
                                                                const Tensor& u, const Tensor& parameters,
                                                                bool need_z, bool need_u,
                                                                bool need_parameters) {
  Tensor grad_z = packed_gradient(z, need_z);
  Tensor grad_u = packed_gradient(u, need_u);
  Tensor grad_parameters = packed_gradient(parameters, need_parameters);
  const LadderExtent extent = ladder_extent(z);
  LadderBatch batch;
  batch.z = rows_of(z, extent);
  batch.u = rows_of(u, extent);
  batch.incoming = rows_of(grad, extent);
  batch.parameters = rows_of(parameters, extent);
  batch.grad_z = result_rows(grad_z, extent);
  batch.grad_u = result_rows(grad_u, extent);
  BlockSums sums(extent, dtype_of(z), true);
  for_each_tile(extent, batch, sums,
                [](int64_t, int64_t, const LadderTile& tile) { ladder_kernels().combine_backward(tile); });
  write_unit_gradients(extent, sums, {grad_parameters, nullptr, nullptr}, [](int64_t) { return false; });
  return {grad_z, grad_u, grad_parameters};
}

LadderBatch cost_batch(const LadderExtent& extent, const Tensor& z_clean, const Tensor& z, const Tensor& u,
                       const Tensor& parameters, const Tensor& mean, const Tensor& std,
                       const Tensor& grad_z_clean, const Tensor& grad_z, const Tensor& grad_u) {
  LadderBatch batch;
  batch.z_clean = rows_of(z_clean, extent);
  batch.z = rows_of(z, extent);
  batch.u = rows_of(u, extent);
  batch.parameters = rows_of(parameters, extent);
  batch.mean = rows_of(mean, extent);
  batch.std = rows_of(std, extent);
  batch.grad_z_clean = result_rows(grad_z_clean, extent);
  batch.grad_z = result_rows(grad_z, extent);
  batch.grad_u = result_rows(grad_u, extent);
  int64_t bytes = 0;
  for (const Tensor* tensor : {&grad_z_clean, &grad_z, &grad_u}) {
    bytes += tensor->numel() * element_size(dtype_of(*tensor));
  }
  batch.streamed = bytes > kStreamedBytes;
  return batch;
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor> ladder_denoising_cost(
    const Tensor& z_clean, const Tensor& z, const Tensor& u, const Tensor& parameters, const Tensor& mean,
    const Tensor& std, bool need_z_clean, bool need_z, bool need_u, bool need_parameters, bool need_mean,
    bool need_std) {
  const LadderExtent extent = ladder_extent(z);
  const Dtype dtype = accumulation_dtype(dtype_of(z));
  Tensor cost = empty_contiguous({z.sizes().begin(), z.sizes().end() - 2}, dtype, z);
  Tensor grad_z_clean = packed_gradient(z_clean, need_z_clean);
  Tensor grad_z = packed_gradient(z, need_z);
  Tensor grad_u = packed_gradient(u, need_u);
  Tensor grad_parameters = packed_gradient(parameters, need_parameters);
  Tensor grad_mean = packed_gradient(mean, need_mean);
  Tensor grad_std = packed_gradient(std, need_std);
  const LadderBatch batch =
      cost_batch(extent, z_clean, z, u, parameters, mean, std, grad_z_clean, grad_z, grad_u);
  const bool any_needed = need_z_clean || need_z || need_u || need_parameters || need_mean || need_std;
  BlockSums sums(extent, dtype, any_needed);
  const int64_t elements = extent.rows * extent.units;
  const int64_t parts = extent.row_blocks() * extent.tiles();
  std::vector<double> squares(static_cast<size_t>(extent.networks * parts));
  for_each_tile(extent, batch, sums, [&](int64_t i, int64_t, LadderTile tile) {
    tile.share = 1 / static_cast<double>(elements);
    squares[i] = any_needed ? ladder_kernels().cost_and_gradients(tile) : ladder_kernels().cost(tile);
  });
  write_unit_gradients(extent, sums, {grad_parameters, &grad_mean, &grad_std}, [](int64_t) { return false; });
  void* const costs = cost.mutable_data_ptr();
  for (int64_t network = 0; network < extent.networks; ++network) {
    double total = 0;
    for (int64_t part = 0; part < parts; ++part) total += squares[network * parts + part];
    write_value(costs, dtype, network, total / static_cast<double>(elements));  // NaN, 0 / 0, for no elements
  }
  return {cost, grad_z_clean, grad_z, grad_u, grad_parameters, grad_mean, grad_std};
}

void ladder_denoising_cost_backward(const Tensor& grad_z_clean, const Tensor& grad_z, const Tensor& grad_u,
                                    const Tensor& grad_parameters, const Tensor& grad_mean,
                                    const Tensor& grad_std, const Tensor& grad_cost, const Tensor& z_clean,
                                    const Tensor& z, const Tensor& u, const Tensor& parameters,
                                    const Tensor& mean, const Tensor& std, bool filled) {
  const LadderExtent extent = ladder_extent(z);
  const LadderBatch batch =
      cost_batch(extent, z_clean, z, u, parameters, mean, std, grad_z_clean, grad_z, grad_u);
  BlockSums sums(extent, dtype_of(z), true);
  const void* const scales = grad_cost.const_data_ptr();
  const Dtype dtype = dtype_of(grad_cost);
  const int64_t stride = grad_cost.dim() == 0 ? 0 : grad_cost.stride(0);
  const auto scale_of = [&](int64_t network) { return read_value(scales, dtype, network * stride); };
  const auto skipped = [&](int64_t network) { return filled && scale_of(network) == 1; };
  const double share = 1 / static_cast<double>(extent.rows * extent.units);
  for_each_tile(extent, batch, sums, [&](int64_t, int64_t network, LadderTile tile) {
    if (skipped(network)) return;
    tile.share = scale_of(network) * share;
    ladder_kernels().cost_and_gradients(tile);
  });
  write_unit_gradients(extent, sums, {grad_parameters, &grad_mean, &grad_std}, skipped);
}

}  // namespace
}  // namespace ebgan

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CPU, library) {
  library.impl("gaussian_combinator", TORCH_BOX(&ebgan::gaussian_combinator));
  library.impl("gaussian_combinator_backward", TORCH_BOX(&ebgan::gaussian_combinator_backward));
  library.impl("ladder_denoising_cost", TORCH_BOX(&ebgan::ladder_denoising_cost));
  library.impl("ladder_denoising_cost_backward_", TORCH_BOX(&ebgan::ladder_denoising_cost_backward));
}
