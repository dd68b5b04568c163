// Valid convolutions on the tensor cores, as an implicit matrix product: float16, bfloat16 and tf32.
//
//   to[pixel, j] = f(bias[j] + sum over taps (r, s) and channels i of from[pixel + tap, i] weight[j, tap, i])
//
// This is the forward pass, and the input gradient with its padding. The left factor's rows are pixels, gathered
// from where they lie: at each tap the channels of a pixel are neighbours, so a row comes in vectors of 16 bytes.
// The right factor's rows are maps. Both are channels-last with whole vectors; valid_conv_pack.cuh packs those that
// are not.
//
// Bytes: `from` and `to` pass device memory once, b (N C H W + N O H' W'); each tile of P pixels and M maps reads
// b (P + M) K bytes from L2 for K = C R S terms, and adds P M K products. Few outputs of long sums would leave
// multiprocessors idle, so their terms are cut into parts, which finish_outputs of valid_conv_pack.cuh adds in order.
//
// Copies run kStages - 1 chunks of 64 bytes ahead of the products.

#pragma once

#include "cuda/reduce.cuh"
#include "cuda/valid_conv_scales.cuh"
#include "cuda/valid_conv_tensor_core.cuh"

namespace ebgan::cuda::valid_conv {

template <int kPixelsOf, int kMapsOf, int kWarpRowsOf, int kWarpColumnsOf, int kStagesOf>
struct MmaTile {
  static constexpr int kPixels = kPixelsOf;
  static constexpr int kMaps = kMapsOf;
  static constexpr int kWarpColumns = kWarpColumnsOf;
  static constexpr int kStages = kStagesOf;
  static constexpr int kThreads = kWarpRowsOf * kWarpColumnsOf * kWarp;
  static constexpr int kWarpPixels = kPixels / kWarpRowsOf;
  static constexpr int kWarpMaps = kMaps / kWarpColumns;
  static constexpr int kRowStep = kThreads / kRowVectors;  // rows that a block copies at once
  static constexpr int kStageVectors = (kPixels + kMaps) * kRowVectors;
  static_assert(kStages * kStageVectors * kChunkBytes <= 48 * 1024);
};

// The stages of a tile fill the 48 KB that a block may have without opting in, or leave room for more blocks.
using LargeTile = MmaTile<128, 128, 2, 4, 3>;
using MediumTile = MmaTile<64, 64, 2, 2, 4>;
using SmallTile = MmaTile<64, 32, 2, 2, 4>;

// The least number of blocks on a multiprocessor, which leaves a thread 128 registers, and up to 255 with the large
// tile of tf32. Without it ptxas (nvcc 13.0) makes room for more on sm_120, and spills.
template <typename T, typename Tile>
constexpr int kMmaBlocks = sizeof(T) == 4 && Tile::kThreads > 128 ? 1 : 512 / Tile::kThreads;

// Whether a weight of the layer is infinite or NaN; all threads of the block must call it together.
__device__ inline bool has_odd_weights(const Correlation& layer) {
  if (layer.has_odd_weights == nullptr) return false;
  bool some_odd = false;
  for (int part = static_cast<int>(threadIdx.x); part < layer.weight_parts;
       part += static_cast<int>(blockDim.x)) {
    some_odd = some_odd || layer.has_odd_weights[part] != 0;
  }
  return __syncthreads_or(some_odd);
}

// Stores `value` as one part of an output's sum or, where sums are not cut, as the output with bias and activation.
template <typename T>
__device__ __forceinline__ void store_output(const Correlation& layer, int64_t part, int64_t pixel,
                                             int64_t offset, int map, float value, Activation activation) {
  if (layer.partial) {
    const int64_t row = part * layer.to.pixels() + pixel;
    static_cast<float*>(layer.partial)[row * layer.to.channels + map] = value;
    return;
  }
  if (layer.bias) value += static_cast<float>(static_cast<const T*>(layer.bias)[map]);
  static_cast<T*>(layer.to.data)[offset + map * layer.to.strides.channel] =
      static_cast<T>(math::activate(activation, value));
}

// Computes a tile without the tensor cores, where a weight is infinite or NaN: padding takes no part, as 0 times
// such a weight is NaN.
template <typename T, typename Tile>
__device__ void correlate_inside(const Correlation& layer, int64_t first_pixel, int first_map, int64_t part,
                                 int begin, int end, Activation activation) {
  const Image& from = layer.from;
  for (int e = static_cast<int>(threadIdx.x); e < Tile::kPixels * Tile::kMaps; e += Tile::kThreads) {
    const int64_t index = first_pixel + e / Tile::kMaps;
    const int map = first_map + e % Tile::kMaps;
    if (index >= layer.to.pixels() || map >= layer.to.channels) continue;
    const math::Pixel pixel = math::pixel_of(index, layer.to.height, layer.to.width);
    const T* const weights = static_cast<const T*>(layer.weight.data) + map * layer.weight.strides.sample;
    float sum = 0;
    for (int term = begin; term < end; ++term) {
      const math::Tap tap = math::tap_of(term, from.channels, layer.weight.height, layer.weight.width, true);
      const math::Pixel at = {pixel.sample, pixel.row - layer.padding_rows + tap.row,
                              pixel.column - layer.padding_columns + tap.column};
      if (at.row < 0 || at.row >= from.height || at.column < 0 || at.column >= from.width) continue;
      const T value = static_cast<const T*>(from.data)[from.offset(at) + tap.channel];
      sum += static_cast<float>(value) * static_cast<float>(weights[term]);
    }
    store_output<T>(layer, part, index, layer.to.offset(pixel), map, sum, activation);
  }
}

template <typename T, typename Tile>
__global__ void __launch_bounds__(Tile::kThreads, kMmaBlocks<T, Tile>)
    correlate_mma(const __grid_constant__ Group<Correlation> group, const Activation activation) {
#if EBGAN_TENSOR_CORES
  constexpr int kSlices = 2;
  constexpr int kChunk = kRowVectors * kVectorValues<T>;      // terms
  constexpr int kPixelRows = Tile::kPixels / Tile::kRowStep;  // rows of pixels that a thread copies
  constexpr int kMapRows = Tile::kMaps / Tile::kRowStep;
  constexpr int kRowTiles = Tile::kWarpPixels / 16;
  constexpr int kColumnPairs = Tile::kWarpMaps / 16;
  alignas(128) __shared__ uint4 shared[Tile::kStages][Tile::kStageVectors];

  const BlockPlace place = find_block(group);
  const Correlation& layer = group.item[place.item];
  const int thread = static_cast<int>(threadIdx.x);
  const int channels = layer.from.channels;
  const int height = layer.from.height;
  const int width = layer.from.width;
  const int64_t pixels = layer.to.pixels();
  const int64_t map_tiles = ceil_div(layer.to.channels, Tile::kMaps);
  const int64_t pixel_tiles = ceil_div(pixels, Tile::kPixels);
  const int first_map = static_cast<int>(place.block % map_tiles) * Tile::kMaps;
  const int64_t first_pixel = place.block / map_tiles % pixel_tiles * Tile::kPixels;
  const int64_t part = place.block / (map_tiles * pixel_tiles);
  const int begin = static_cast<int>(part) * layer.part_terms;
  const int end = begin + layer.part_terms < layer.terms() ? begin + layer.part_terms : layer.terms();

  if (has_odd_weights(layer)) {
    return correlate_inside<T, Tile>(layer, first_pixel, first_map, part, begin, end, activation);
  }

  // These are the rows that this thread copies, always at the same vector of the chunk.
  const int copy_row = thread / kRowVectors;
  const int copy_vector = thread % kRowVectors;
  const T* pixel_windows[kPixelRows];
  int rows[kPixelRows];
  int columns[kPixelRows];
#pragma unroll
  for (int i = 0; i < kPixelRows; ++i) {
    const int64_t index = first_pixel + copy_row + i * Tile::kRowStep;
    const math::Pixel pixel = math::pixel_of(index, layer.to.height, layer.to.width);
    const math::Pixel first = {pixel.sample, pixel.row - layer.padding_rows,
                               pixel.column - layer.padding_columns};
    pixel_windows[i] = static_cast<const T*>(layer.from.data) + layer.from.offset(first);
    rows[i] = index < pixels ? first.row : -height - layer.weight.height;
    columns[i] = first.column;
  }
  const T* const weights =
      static_cast<const T*>(layer.weight.data) + (first_map + copy_row) * layer.weight.strides.sample;
  int term = begin + copy_vector * kVectorValues<T>;
  math::Tap tap = math::tap_of(term, channels, layer.weight.height, layer.weight.width, true);

  const auto copy_chunk = [&](int stage) {
    uint4* const to = shared[stage] + row_tile_vector(copy_row, copy_vector);
    const int64_t step =
        tap.row * layer.from.strides.row + tap.column * layer.from.strides.column + tap.channel;
#pragma unroll
    for (int i = 0; i < kPixelRows; ++i) {
      const bool inside = term < end &&
                          static_cast<unsigned>(rows[i] + tap.row) < static_cast<unsigned>(height) &&
                          static_cast<unsigned>(columns[i] + tap.column) < static_cast<unsigned>(width);
      copy_async<Keep::kL1>(to + i * Tile::kRowStep * kRowVectors,
                            inside ? pixel_windows[i] + step : layer.from.data, inside);
    }
#pragma unroll
    for (int i = 0; i < kMapRows; ++i) {
      const bool inside = term < end && first_map + copy_row + i * Tile::kRowStep < layer.to.channels;
      copy_async<Keep::kL2>(
          to + (Tile::kPixels + i * Tile::kRowStep) * kRowVectors,
          inside ? weights + i * Tile::kRowStep * layer.weight.strides.sample + term : layer.weight.data,
          inside);
    }
    term += kChunk;
    math::advance(tap, kChunk, channels, layer.weight.width);
    end_stage();
  };

  const int lane = thread % kWarp;
  const int warp = thread / kWarp;
  const int warp_pixel = warp / Tile::kWarpColumns * Tile::kWarpPixels;
  const int warp_map = warp % Tile::kWarpColumns * Tile::kWarpMaps;
  const Place left_at = rows_first(lane);
  const Place right_at = vectors_first(lane);
  float sums[kRowTiles][2 * kColumnPairs][4] = {};

  // Rows 16 apart have the same swizzle, so the swizzle of the lane's own row serves all.
  const auto add_products = [&](const uint4* tile) {
#pragma unroll
    for (int slice = 0; slice < kSlices; ++slice) {
      const uint4* const left_rows =
          tile + warp_pixel * kRowVectors + row_tile_vector(left_at.row, 2 * slice + left_at.column);
      const uint4* const right_rows = tile + (Tile::kPixels + warp_map) * kRowVectors +
                                      row_tile_vector(right_at.row, 2 * slice + right_at.column);
      uint32_t left[kRowTiles][4];
#pragma unroll
      for (int i = 0; i < kRowTiles; ++i) {
        load_matrices(left[i], left_rows + i * 16 * kRowVectors);
        round_fragment<T>(left[i]);
      }
#pragma unroll
      for (int j = 0; j < kColumnPairs; ++j) {
        uint32_t right[4];
        load_matrices(right, right_rows + j * 16 * kRowVectors);
        round_fragment<T>(right);
#pragma unroll
        for (int i = 0; i < kRowTiles; ++i) {
          multiply<T>(sums[i][2 * j], left[i], right[0], right[1]);
          multiply<T>(sums[i][2 * j + 1], left[i], right[2], right[3]);
        }
      }
    }
  };

  const int chunks = (end - begin + kChunk - 1) / kChunk;
#pragma unroll
  for (int stage = 0; stage < Tile::kStages - 1; ++stage) copy_chunk(stage);
  int stage = 0;
  for (int chunk = 0; chunk < chunks; ++chunk) {
    wait_for_stage<Tile::kStages - 2>();
    __syncthreads();
    copy_chunk(stage == 0 ? Tile::kStages - 1 : stage - 1);
    add_products(shared[stage]);
    stage = stage + 1 == Tile::kStages ? 0 : stage + 1;
  }
  wait_for_stage<0>();

  // Eight lanes hold neighbouring pixels and four hold neighbouring maps, which makes whole sectors in either layout.
#pragma unroll
  for (int i = 0; i < kRowTiles; ++i) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int64_t index = first_pixel + warp_pixel + i * 16 + sum_place(lane, 2 * half).row;
      if (index >= pixels) continue;
      const int64_t offset = layer.to.offset(math::pixel_of(index, layer.to.height, layer.to.width));
#pragma unroll
      for (int j = 0; j < 2 * kColumnPairs; ++j) {
#pragma unroll
        for (int k = 0; k < 2; ++k) {
          const int map = first_map + warp_map + j * 8 + sum_place(lane, k).column;
          if (map >= layer.to.channels) continue;
          store_output<T>(layer, part, index, offset, map, sums[i][j][2 * half + k], activation);
        }
      }
    }
  }
#endif
}

// --- launcher ------------------------------------------------------------------------------------

template <typename Tile>
int64_t mma_tiles(const Correlation& layer) {
  return ceil_div(layer.to.pixels(), Tile::kPixels) * ceil_div(layer.to.channels, Tile::kMaps);
}

template <typename T, typename Tile>
void launch_mma(const std::vector<Correlation>& layers, Activation activation, cudaStream_t stream) {
  for_groups(
      layers, [](const Correlation& layer) { return layer.parts * mma_tiles<Tile>(layer); },
      [&](const Group<Correlation>& group) {
        launch(correlate_mma<T, Tile>, LaunchShape{group.blocks, Tile::kThreads}, stream, group, activation);
      });
}

}  // namespace ebgan::cuda::valid_conv
