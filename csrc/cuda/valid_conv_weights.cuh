// The weight gradient of valid convolutions on the tensor cores: float16, bfloat16 and tf32.
//
//   partial[part][j][tap, i] = sum over the part's pixels of g[pixel, j] from[pixel + tap, i]
//
// The sum is over pixels: tiles hold pixels by maps and pixels by (tap, channel), channels-last, and fragments are
// read across their rows. finish_weights of valid_conv_pack.cuh adds the parts in order, so the same input gives
// the same bits.
//
// Bytes: a tile of M maps and T terms reads b (M + T) bytes from L2 for each pixel and adds M T products. The partial
// sums, 4 O K bytes for each part with K = C R S, are written and read once.

#pragma once

#include "cuda/reduce.cuh"
#include "cuda/valid_conv_scales.cuh"
#include "cuda/valid_conv_tensor_core.cuh"

namespace ebgan::cuda::valid_conv {

// A tile of kSide maps by kSide terms, whose chunks of pixels make 64 bytes of the summed axis.
template <int kSideOf, int kWarpRowsOf, int kWarpColumnsOf>
struct WeightMmaTile {
  static constexpr int kSide = kSideOf;
  static constexpr int kWarpColumns = kWarpColumnsOf;
  static constexpr int kStages = 3;
  static constexpr int kThreads = kWarpRowsOf * kWarpColumnsOf * kWarp;
  static constexpr int kBlocks = kThreads > 128 ? 1 : 4;  // on a multiprocessor; registers do not spill
  static constexpr int kWarpMaps = kSide / kWarpRowsOf;
  static constexpr int kWarpTerms = kSide / kWarpColumns;
  static constexpr int kHalfVectors = kSide * 64 / kChunkBytes;  // vectors of a stage, for either factor
  static constexpr int kStageVectors = 2 * kHalfVectors;
};

using LargeWeightTile = WeightMmaTile<128, 2, 4>;
using SmallWeightTile = WeightMmaTile<64, 2, 2>;

template <typename T>
constexpr int kChunkPixels = 64 / static_cast<int>(sizeof(T));

// The bytes of the stages and of the places where the windows of two chunks begin, a little more than the 48 KB that
// need no opting in.
template <typename T, typename Tile>
constexpr int kWeightShared = Tile::kStages * Tile::kStageVectors * kChunkBytes +
                              2 * kChunkPixels<T> * static_cast<int>(sizeof(int64_t));

#if EBGAN_TENSOR_CORES

// Loads a fragment of a slice: 16 rows of the left factor, from row `first` on.
template <typename T, int kVectors>
__device__ __forceinline__ void load_left(uint32_t (&registers)[4], const uint4* tile, int slice, int first,
                                          int lane) {
  if constexpr (sizeof(T) == 2) {
    const Place place = vectors_first(lane);
    load_transposed(registers,
                    tile + pixel_tile_vector<2>(slice * 16 + place.row, first / 8 + place.column, kVectors));
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const Place place = left_place(lane, i);
      const int column = first + place.row;
      const uint4* const vector = tile + pixel_tile_vector<4>(slice * 8 + place.column, column / 4, kVectors);
      registers[i] = round_to_tf32(reinterpret_cast<const uint32_t*>(vector)[column % 4]);
    }
  }
}

// Loads a fragment of a slice: 16 columns of the right factor, 0 to 7 in registers 0 and 1, 8 to 15 in 2 and 3.
template <typename T, int kVectors>
__device__ __forceinline__ void load_right(uint32_t (&registers)[4], const uint4* tile, int slice, int first,
                                           int lane) {
  if constexpr (sizeof(T) == 2) {
    const Place place = rows_first(lane);
    load_transposed(registers,
                    tile + pixel_tile_vector<2>(slice * 16 + place.row, first / 8 + place.column, kVectors));
  } else {
    // The right factor's columns load as the left one's rows do.
    uint32_t left[4];
    load_left<T, kVectors>(left, tile, slice, first, lane);
    registers[0] = left[0];
    registers[1] = left[2];
    registers[2] = left[1];
    registers[3] = left[3];
  }
}

#endif

template <typename T, typename Tile>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    weights_mma(const __grid_constant__ Group<WeightGradient> group) {
#if EBGAN_TENSOR_CORES
  constexpr int kPixels = kChunkPixels<T>;
  constexpr int kVectors = Tile::kSide / kVectorValues<T>;  // vectors of a pixel in a tile
  constexpr int kRowStep = Tile::kThreads / kVectors;       // pixels that the block copies at once
  constexpr int kRows = kPixels / kRowStep;                 // pixels that a thread copies
  constexpr int kSlices = 2;
  constexpr int kRowTiles = Tile::kWarpMaps / 16;
  constexpr int kColumnPairs = Tile::kWarpTerms / 16;
  static_assert(kRows * kRowStep == kPixels && kVectors % 8 == 0);
  extern __shared__ uint4 shared[];
  int64_t* const windows = reinterpret_cast<int64_t*>(shared + Tile::kStages * Tile::kStageVectors);

  const BlockPlace place = find_block(group);
  const WeightGradient& layer = group.item[place.item];
  const Image& from = layer.from;
  const int thread = static_cast<int>(threadIdx.x);
  const int maps = layer.gradient.channels;
  const int terms = layer.columns();
  const int64_t map_tiles = ceil_div(maps, Tile::kSide);
  const int64_t term_tiles = ceil_div(terms, Tile::kSide);
  const int first_map = static_cast<int>(place.block % map_tiles) * Tile::kSide;
  const int first_term = static_cast<int>(place.block / map_tiles % term_tiles) * Tile::kSide;
  const int64_t part = place.block / (map_tiles * term_tiles);
  const int64_t begin = part * layer.part_pixels;
  const int64_t pixels = layer.gradient.pixels();
  const int64_t end = begin + layer.part_pixels < pixels ? begin + layer.part_pixels : pixels;

  // The first threads find windows three chunks before their pixels are multiplied; -1 stands for no window.
  const auto find_windows = [&](int64_t chunk) {
    if (thread >= kPixels) return;
    const int64_t index = begin + chunk * kPixels + thread;
    windows[(chunk & 1) * kPixels + thread] =
        index < end ? from.offset(math::pixel_of(index, layer.gradient.height, layer.gradient.width)) : -1;
  };

  // A thread always copies the same vector of a pixel: the same maps, and the same tap and channels.
  const int copy_row = thread / kVectors;
  const int copy_vector = thread % kVectors;
  const int map = first_map + copy_vector * kVectorValues<T>;
  const int term = first_term + copy_vector * kVectorValues<T>;
  const math::Tap tap = math::tap_of(term, from.channels, layer.kernel_height, layer.kernel_width, true);
  const T* const gradients = static_cast<const T*>(layer.gradient.data) + map;
  const T* const values = static_cast<const T*>(from.data) + tap.row * from.strides.row +
                          tap.column * from.strides.column + tap.channel;
  const bool has_map = map < layer.gradient.readable;
  const bool has_term = term < terms;

  const auto copy_chunk = [&](int64_t chunk, int stage) {
    uint4* const left = shared + stage * Tile::kStageVectors;
    uint4* const right = left + Tile::kHalfVectors;
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      const int row = copy_row + i * kRowStep;
      const int to = pixel_tile_vector<sizeof(T)>(row, copy_vector, kVectors);
      const int64_t window = windows[(chunk & 1) * kPixels + row];
      const bool takes_map = has_map && window >= 0;
      const bool takes_term = has_term && window >= 0;
      const int64_t pixel = begin + chunk * kPixels + row;
      copy_async<Keep::kL2>(
          left + to, takes_map ? gradients + pixel * layer.gradient.strides.column : layer.gradient.data,
          takes_map);
      copy_async<Keep::kL1>(right + to, takes_term ? values + window : from.data, takes_term);
    }
    end_stage();
  };

  const int lane = thread % kWarp;
  const int warp = thread / kWarp;
  const int warp_map = warp / Tile::kWarpColumns * Tile::kWarpMaps;
  const int warp_term = warp % Tile::kWarpColumns * Tile::kWarpTerms;
  float sums[kRowTiles][2 * kColumnPairs][4] = {};

  const auto add_products = [&](int stage) {
    const uint4* const left_tile = shared + stage * Tile::kStageVectors;
    const uint4* const right_tile = left_tile + Tile::kHalfVectors;
#pragma unroll
    for (int slice = 0; slice < kSlices; ++slice) {
      uint32_t left[kRowTiles][4];
#pragma unroll
      for (int i = 0; i < kRowTiles; ++i) {
        load_left<T, kVectors>(left[i], left_tile, slice, warp_map + i * 16, lane);
      }
#pragma unroll
      for (int j = 0; j < kColumnPairs; ++j) {
        uint32_t right[4];
        load_right<T, kVectors>(right, right_tile, slice, warp_term + j * 16, lane);
#pragma unroll
        for (int i = 0; i < kRowTiles; ++i) {
          multiply<T>(sums[i][2 * j], left[i], right[0], right[1]);
          multiply<T>(sums[i][2 * j + 1], left[i], right[2], right[3]);
        }
      }
    }
  };

  const int64_t chunks = ceil_div(end - begin, kPixels);
  static_assert(Tile::kStages == 3);
  find_windows(0);
  find_windows(1);
  __syncthreads();
  copy_chunk(0, 0);
  copy_chunk(1, 1);
  __syncthreads();
  find_windows(2);
  int stage = 0;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    wait_for_stage<Tile::kStages - 2>();
    __syncthreads();
    copy_chunk(chunk + 2, stage == 0 ? 2 : stage - 1);
    find_windows(chunk + 3);
    add_products(stage);
    stage = stage == 2 ? 0 : stage + 1;
  }
  wait_for_stage<0>();

  float* const partial = static_cast<float*>(layer.partial) + part * maps * terms;
#pragma unroll
  for (int i = 0; i < kRowTiles; ++i) {
#pragma unroll
    for (int j = 0; j < 2 * kColumnPairs; ++j) {
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const Place at = sum_place(lane, k);
        const int row = first_map + warp_map + i * 16 + at.row;
        const int column = first_term + warp_term + j * 8 + at.column;
        if (row < maps && column < terms) partial[int64_t{row} * terms + column] = sums[i][j][k];
      }
    }
  }
#endif
}

// --- launcher ------------------------------------------------------------------------------------

template <typename T, typename Tile>
void launch_mma_weights(const std::vector<WeightGradient>& layers, int device, cudaStream_t stream) {
  if (layers.empty()) return;
  allow_all_shared_memory<weights_mma<T, Tile>>(device);
  for_groups(
      layers,
      [](const WeightGradient& layer) {
        return layer.parts * ceil_div(layer.gradient.channels, Tile::kSide) *
               ceil_div(layer.columns(), Tile::kSide);
      },
      [&](const Group<WeightGradient>& group) {
        launch(weights_mma<T, Tile>, LaunchShape{group.blocks, Tile::kThreads, kWeightShared<T, Tile>},
               stream, group);
      });
}

}  // namespace ebgan::cuda::valid_conv
