// Which kernel computes a group of valid convolutions: the one place that decides, from shapes alone.
//
// No rule here is measured yet. They follow from counts: the ordinary units multiply float32 about 10 to 20 times
// slower than the tensor cores multiply tf32, but waste nothing on a sum of few terms, whose vectors and slices a tile
// of the tensor cores would fill with zeros.

#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "cuda/device.h"
#include "cuda/valid_conv_direct.cuh"
#include "cuda/valid_conv_mma.cuh"
#include "cuda/valid_conv_pack.cuh"
#include "cuda/valid_conv_scales.cuh"
#include "cuda/valid_conv_weights.cuh"

namespace ebgan::cuda::valid_conv {

// What a choice depends on beside shapes.
struct Device {
  int index;
  int multiprocessors;
  int generation;  // major compute capability
};

// The group goes to the tensor cores where its largest product is worth them: rows of the summed axis of at least
// two chunks of 32, and more columns than one fragment has.
constexpr int64_t kFewTerms = 64;
constexpr int64_t kFewMaps = 8;

template <typename T>
bool has_tensor_cores(const Device& device, bool tf32) {
  if constexpr (std::is_same_v<T, double>) return false;
  return device.generation >= 8 && (!std::is_same_v<T, float> || tf32);
}

template <typename T>
bool takes_tensor_cores(const std::vector<Correlation>& layers, const Device& device, bool tf32) {
  if (!has_tensor_cores<T>(device, tf32) || layers.empty()) return false;
  const auto products = [](const Correlation& layer) {
    return layer.to.pixels() * layer.to.channels * layer.terms();
  };
  const Correlation& largest = *std::max_element(
      layers.begin(), layers.end(), [&](const auto& a, const auto& b) { return products(a) < products(b); });
  return largest.terms() >= kFewTerms && largest.to.channels > kFewMaps;
}

template <typename T>
bool takes_tensor_cores(const std::vector<WeightGradient>& layers, const Device& device, bool tf32) {
  if (!has_tensor_cores<T>(device, tf32) || layers.empty()) return false;
  const auto products = [](const WeightGradient& layer) {
    return layer.gradient.pixels() * layer.gradient.channels * layer.columns();
  };
  const WeightGradient& largest = *std::max_element(
      layers.begin(), layers.end(), [&](const auto& a, const auto& b) { return products(a) < products(b); });
  return largest.columns() >= kFewTerms && largest.gradient.channels > kFewMaps;
}

inline int most_maps(const std::vector<Correlation>& layers) {
  int maps = 0;
  for (const Correlation& layer : layers) maps = std::max(maps, layer.to.channels);
  return maps;
}

// The largest tile that gives every multiprocessor a block.
template <typename T>
void launch_tensor_cores(const std::vector<Correlation>& layers, Activation activation, const Device& device,
                         cudaStream_t stream) {
  int64_t large_blocks = 0;
  for (const Correlation& layer : layers) large_blocks += mma_blocks<LargeTile>(layer);
  const int maps = most_maps(layers);
  if (maps > MediumTile::kMaps && large_blocks >= device.multiprocessors) {
    launch_mma<T, LargeTile>(layers, activation, stream);
  } else if (maps > SmallTile::kMaps) {
    launch_mma<T, MediumTile>(layers, activation, stream);
  } else {
    launch_mma<T, SmallTile>(layers, activation, stream);
  }
}

// The smallest tile that holds all maps.
template <typename T>
void launch_ordinary(const std::vector<Correlation>& layers, Activation activation, cudaStream_t stream) {
  if constexpr (!std::is_same_v<T, double>) {
    const int maps = most_maps(layers);
    if (maps <= 4) return launch_direct<T, 4, 1>(layers, activation, stream);
    if (maps <= 16) return launch_direct<T, 16, 2>(layers, activation, stream);
    if (maps <= 32) return launch_direct<T, 32, 4>(layers, activation, stream);
  }
  launch_direct<T, 64, 4>(layers, activation, stream);
}

// Cuts the pixels of all weight gradients so that each multiprocessor gets two blocks of about equal work, none of
// them shorter than its beginning and its end are worth.
constexpr int64_t kShortestPart = 256;  // pixels
constexpr int64_t kPartUnit = 32;       // whole chunks of every kernel

inline void choose_parts(std::vector<WeightGradient>& layers, int tile, const Device& device) {
  int64_t work = 0;
  for (const WeightGradient& layer : layers) {
    work +=
        layer.gradient.pixels() * ceil_div(layer.gradient.channels, tile) * ceil_div(layer.columns(), tile);
  }
  const int64_t share = std::max(ceil_div(work, int64_t{2} * device.multiprocessors), kShortestPart);
  for (WeightGradient& layer : layers) {
    const int64_t pixels = layer.gradient.pixels();
    if (pixels == 0) continue;
    layer.part_pixels = math::part_size(pixels, ceil_div(pixels, share), kPartUnit);
    layer.parts = static_cast<int>(ceil_div(pixels, layer.part_pixels));
  }
}

// Large tiles where they alone occupy the device, or the sums have many columns.
inline bool takes_large_tiles(const std::vector<WeightGradient>& layers, const Device& device) {
  int64_t tiles = 0;
  for (const WeightGradient& layer : layers) {
    if (layer.gradient.channels <= SmallWeightTile::kSide) continue;
    tiles += ceil_div(layer.gradient.channels, LargeWeightTile::kSide) *
             ceil_div(layer.columns(), LargeWeightTile::kSide);
  }
  return tiles * 4 >= device.multiprocessors;
}

}  // namespace ebgan::cuda::valid_conv
