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

#include <vector>

#include "cpu/context.h"
#include "cpu/ladder_batch.h"

namespace ebgan::ladder {
namespace {

// Writes the gradients that are sums over rows: the ten rows of the parameters', and those of mean and std.
void write_sums(const Layer& layer, const BlockSums& sums, const Incoming& incoming) {
  if (!layer.wants_sums()) return;
  const Cut cut(layer.extent);
  const auto write = [&](const Result& to, int64_t row, int64_t network, int which) {
    if (to.data == nullptr) return;
    double totals[kTileUnits];
    for (int64_t begin = 0; begin < cut.units; begin += kTileUnits) {
      const int64_t end = std::min(begin + kTileUnits, cut.units);
      sums.total(network, which, begin, end, totals);
      write_values(to.data, to.dtype, row * cut.units + begin, totals, end - begin);
    }
  };
  const int64_t of_row = std::max<int64_t>(1, cut.units * cut.row_blocks());
  parallel_for(
      cut.networks * kUnitSums, std::max<int64_t>(1, kGrain / of_row), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t network = i / kUnitSums;
          const int which = static_cast<int>(i % kUnitSums);
          if (is_done(incoming, network)) continue;
          if (which < math::kCombinatorParameters) {
            write(layer.grad_parameters, network * math::kCombinatorParameters + which, network, which);
          } else {
            write(which == kUnitSums - 1 ? layer.grad_std : layer.grad_mean, network, network, which);
          }
        }
      });
}

struct CpuKernels {
  using Context = CpuContext;

  static void combine(const Context&, const Layer& layer) {
    BlockSums none(layer, false);
    for_each_tile(layer, false, none,
                  [](int64_t, int64_t, const LadderTile& tile) { ladder_kernels().combine(tile); });
  }

  static void combine_backward(const Context&, const Layer& layer) {
    BlockSums sums(layer, true);
    for_each_tile(layer, false, sums,
                  [](int64_t, int64_t, const LadderTile& tile) { ladder_kernels().combine_backward(tile); });
    write_sums(layer, sums, {});
  }

  static void cost(const Context&, const Layer& layer, const Result& cost) {
    const Cut cut(layer.extent);
    const bool any_needed = layer.wants_gradient();
    BlockSums sums(layer, any_needed);
    const double elements = static_cast<double>(cut.elements());
    const int64_t parts = cut.row_blocks() * cut.tiles();
    std::vector<double> squares(static_cast<size_t>(cut.networks * parts));
    for_each_tile(layer, is_streamed(layer), sums, [&](int64_t i, int64_t, LadderTile& tile) {
      tile.share = 1 / elements;
      squares[i] = any_needed ? ladder_kernels().cost_and_gradients(tile) : ladder_kernels().cost(tile);
    });
    write_sums(layer, sums, {});
    for (int64_t network = 0; network < cut.networks; ++network) {
      double total = 0;
      for (int64_t part = 0; part < parts; ++part) total += squares[network * parts + part];
      write_value(cost.data, cost.dtype, network, total / elements);  // NaN, 0 / 0, for no elements
    }
  }

  static void cost_backward(const Context&, const Layer& layer, const Incoming& incoming) {
    BlockSums sums(layer, true);
    const double share = 1 / static_cast<double>(layer.extent.elements());
    for_each_tile(layer, is_streamed(layer), sums, [&](int64_t, int64_t network, LadderTile& tile) {
      if (is_done(incoming, network)) return;
      tile.share = incoming_at(incoming, network) * share;
      ladder_kernels().cost_and_gradients(tile);
    });
    write_sums(layer, sums, incoming);
  }
};

}  // namespace
}  // namespace ebgan::ladder

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CPU, library) {
  ebgan::ladder::implement<ebgan::ladder::CpuKernels>(library);
}
