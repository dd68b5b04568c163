// The choice of the kernel that computes a group of valid convolutions. All of it is here, from shapes alone.
//
// No rule here is measured yet. The rules follow from counts: the ordinary units multiply float32 about 10 to 20
// times slower than the tensor cores multiply tf32, but waste nothing on a sum of few terms, whose vectors and
// slices a tile of the tensor cores would fill with zeros.

#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "cuda/device.h"
#include "cuda/valid_conv_direct.cuh"
#include "cuda/valid_conv_few.cuh"
#include "cuda/valid_conv_mma.cuh"
#include "cuda/valid_conv_pack.cuh"
#include "cuda/valid_conv_scales.cuh"
#include "cuda/valid_conv_weights.cuh"

namespace ebgan::cuda::valid_conv {

// The facts of a device on which choices depend beside shapes.
struct Device {
  int index;
  int multiprocessors;
  bool has_tensor_cores;
};

// A group goes to the tensor cores where its largest product does. A correlation does if its sums have at least one
// slice of 16 terms, and if it has more maps than the 8 columns of one fragment or reads a channels-last input:
// with few maps the input is nearly all the traffic, and any other layout would have to be repacked. A weight
// gradient does if it has at least 16 columns and more than 8 maps.
constexpr int64_t kFewTerms = 16;
constexpr int64_t kFewMaps = 8;

constexpr int64_t kPartUnit = 32;  // terms or pixels, which are whole chunks of every kernel

template <typename T>
bool has_tensor_cores(const Device& device, bool tf32) {
  if constexpr (std::is_same_v<T, double>) return false;
  return device.has_tensor_cores && (!std::is_same_v<T, float> || tf32);
}

template <typename T>
bool takes_tensor_cores(const std::vector<Correlation>& layers, const Device& device, bool tf32) {
  if (!has_tensor_cores<T>(device, tf32) || layers.empty()) return false;
  const auto products = [](const Correlation& layer) {
    return layer.to.pixels() * layer.to.channels * layer.terms();
  };
  const Correlation& largest = *std::max_element(
      layers.begin(), layers.end(), [&](const auto& a, const auto& b) { return products(a) < products(b); });
  return largest.terms() >= kFewTerms && (largest.to.channels > kFewMaps || largest.from.channels_fastest());
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

enum class CorrelationTile { kSmall, kMedium, kLarge };

// Large tiles where there are more maps than a medium tile has and large tiles give every multiprocessor a block.
// Else medium tiles where there are more maps than a small tile has, and small ones for fewer; choose_sum_parts
// then cuts their sums where they leave multiprocessors idle.
inline CorrelationTile choose_tile(const std::vector<Correlation>& layers, const Device& device) {
  int64_t large_tiles = 0;
  for (const Correlation& layer : layers) large_tiles += mma_tiles<LargeTile>(layer);
  const int maps = most_maps(layers);
  if (maps > MediumTile::kMaps && large_tiles >= device.multiprocessors) return CorrelationTile::kLarge;
  return maps > SmallTile::kMaps ? CorrelationTile::kMedium : CorrelationTile::kSmall;
}

// Calls body.template operator()<Tile>() with the type of the tile.
template <typename Body>
void with_tile(CorrelationTile tile, const Body& body) {
  switch (tile) {
    case CorrelationTile::kSmall:
      return body.template operator()<SmallTile>();
    case CorrelationTile::kMedium:
      return body.template operator()<MediumTile>();
    default:
      return body.template operator()<LargeTile>();
  }
}

// Cuts sums that are longer than the terms that each multiprocessor would get of an equal split, which few outputs
// of long sums are. Shares are at least kShortestSum, since the beginning of a part takes the latency of its first
// copies and its sums are traffic; the bound is not measured.
constexpr int64_t kShortestSum = 512;  // terms

template <typename Tile>
void choose_sum_parts(std::vector<Correlation>& layers, const Device& device) {
  int64_t work = 0;
  for (const Correlation& layer : layers) work += mma_tiles<Tile>(layer) * layer.terms();
  const int64_t share = std::max(ceil_div(work, device.multiprocessors), kShortestSum);
  for (Correlation& layer : layers) {
    const int64_t terms = layer.terms();
    layer.part_terms = static_cast<int>(math::part_size(terms, ceil_div(terms, share), kPartUnit));
    layer.parts = static_cast<int>(ceil_div(terms, layer.part_terms));
  }
}

inline bool slides_rows(const Correlation& layer) {
  return layer.to.channels <= kMostFewMaps && !layer.from.channels_fastest() &&
         layer.weight.height * layer.weight.width <= kStagedTerms && layer.padding_rows == 0 &&
         layer.padding_columns == 0;
}

// Launches the kernel of the smallest tile that holds all maps; float64 has one tile.
template <typename T>
void launch_ordinary(const std::vector<Correlation>& layers, Activation activation, cudaStream_t stream) {
  if constexpr (!std::is_same_v<T, double>) {
    if (std::all_of(layers.begin(), layers.end(), slides_rows)) {
      return launch_few<T>(layers, activation, stream);
    }
    const int maps = most_maps(layers);
    if (maps <= 16) return launch_direct<T, 16, 2>(layers, activation, stream);
    if (maps <= 32) return launch_direct<T, 32, 4>(layers, activation, stream);
  }
  launch_direct<T, 64, 4>(layers, activation, stream);
}

// Cuts the pixels of all weight gradients so that each multiprocessor gets two blocks of about equal work. Shares
// are at least kShortestPart, for the reasons of kShortestSum; the bound is not measured.
constexpr int64_t kShortestPart = 256;  // pixels

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

// Large tiles where there is one for every four multiprocessors, counting only layers of more maps than a small
// tile's side. choose_parts then cuts each into about eight parts at most, which occupy the device. The quarter is
// not measured.
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
