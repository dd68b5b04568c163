// The ladder family on CUDA: the Gaussian combinator, and the denoising cost of a layer with all its gradients in
// one pass. Formulas: math/ladder.h; kernels and bytes: ladder_tiles.cuh.

#include "cuda/device.h"
#include "cuda/ladder_tiles.cuh"
#include "operators/ladder.h"
#include "stable/cuda.h"

namespace ebgan::cuda::ladder {
namespace {

// The most rows of a tile, whose sums then add a fifth to the traffic. Tiles are lower where there would be fewer
// than kEnoughTiles, about 8 for each multiprocessor of a large device; other bounds were not measured.
constexpr int kMostTileRows = 64;
constexpr int64_t kEnoughTiles = 1024;

Cut cut_of(const Layer& layer) {
  Cut cut = {layer.extent, kTileWarps};
  while (cut.tile_rows < kMostTileRows) {
    Cut higher = cut;
    higher.tile_rows *= 2;
    if (higher.networks * higher.tiles() < kEnoughTiles) break;
    cut = higher;
  }
  return cut;
}

// Calls body.template operator()<A, kMixed>() for the types of a layer.
template <typename Body>
void with_types_of(const Layer& layer, const Body& body) {
  with_types(
      {&layer.z_clean, &layer.z, &layer.u, &layer.incoming, &layer.parameters, &layer.mean, &layer.std},
      body);
}

LaunchShape shape_of(const Cut& cut) { return {cut.networks * cut.tiles(), kTileThreads}; }

Tensor empty_sums(const CudaContext& cuda, const Layer& layer, const Cut& cut) {
  return empty_vector(cut.networks * cut.row_tiles() * kUnitSums * cut.units,
                      accumulation_dtype(layer.z.dtype), cuda.like());
}

template <typename A>
void launch_total(const CudaContext& cuda, const Layer& layer, const Cut& cut, const Incoming& incoming,
                  const A* sums) {
  if (!layer.wants_sums()) return;
  const int64_t threads = cut.networks * kUnitSums * cut.units;
  launch(total_sums<A>, LaunchShape{ceil_div(threads, kTileThreads), kTileThreads}, cuda.stream(), layer, cut,
         incoming, sums);
}

// Launches the kernels that compute gradients for `incoming`, and sums of squares where `squares` is not null.
template <typename A, bool kMixed>
void launch_gradients(const CudaContext& cuda, const Layer& layer, const Cut& cut, const Incoming& incoming,
                      A* squares) {
  const Tensor workspace = empty_sums(cuda, layer, cut);
  A* const sums = static_cast<A*>(workspace.mutable_data_ptr());
  launch(cost_of_rows<A, kMixed, true>, shape_of(cut), cuda.stream(), layer, cut, incoming, sums, squares);
  launch_total<A>(cuda, layer, cut, incoming, sums);
}

struct CudaKernels {
  using Context = CudaContext;

  static void combine(const Context& cuda, const Layer& layer) {
    const Cut cut = cut_of(layer);
    with_types_of(layer, [&]<typename A, bool kMixed>() {
      launch(combine_rows<A, kMixed>, shape_of(cut), cuda.stream(), layer, cut);
    });
  }

  static void combine_backward(const Context& cuda, const Layer& layer) {
    const Cut cut = cut_of(layer);
    const Tensor workspace = empty_sums(cuda, layer, cut);
    with_types_of(layer, [&]<typename A, bool kMixed>() {
      A* const sums = static_cast<A*>(workspace.mutable_data_ptr());
      launch(combine_rows_backward<A, kMixed>, shape_of(cut), cuda.stream(), layer, cut, sums);
      launch_total<A>(cuda, layer, cut, {}, sums);
    });
  }

  static void cost(const Context& cuda, const Layer& layer, const Result& cost) {
    const Cut cut = cut_of(layer);
    const Tensor workspace = empty_vector(cut.networks * cut.tiles(), cost.dtype, cuda.like());
    with_types_of(layer, [&]<typename A, bool kMixed>() {
      A* const squares = static_cast<A*>(workspace.mutable_data_ptr());
      if (layer.wants_gradient()) {
        launch_gradients<A, kMixed>(cuda, layer, cut, {}, squares);
      } else {
        launch(cost_of_rows<A, kMixed, false>, shape_of(cut), cuda.stream(), layer, cut, Incoming{},
               static_cast<A*>(nullptr), squares);
      }
      const CostOfSum<A> finish = {static_cast<double>(cut.rows) * static_cast<double>(cut.units),
                                   static_cast<A*>(cost.data)};
      launch(add_parts<A, CostOfSum<A>>, LaunchShape{cut.networks, kTileThreads}, cuda.stream(), squares,
             cut.networks, cut.tiles(), finish);
    });
  }

  static void cost_backward(const Context& cuda, const Layer& layer, const Incoming& incoming) {
    with_types_of(layer, [&]<typename A, bool kMixed>() {
      launch_gradients<A, kMixed>(cuda, layer, cut_of(layer), incoming, nullptr);
    });
  }
};

}  // namespace
}  // namespace ebgan::cuda::ladder

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CUDA, library) {
  ebgan::ladder::implement<ebgan::cuda::ladder::CudaKernels>(library);
}
