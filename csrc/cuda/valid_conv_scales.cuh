// The description of each scale that the kernels of valid convolutions take, and the launch that serves all scales.

#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "cuda/device.h"
#include "cuda/dtype.cuh"
#include "cuda/valid_conv_places.h"
#include "math/valid_conv.h"

namespace ebgan::cuda::valid_conv {

using math::Activation;

template <typename T>
using Accumulator = std::conditional_t<std::is_same_v<T, double>, double, float>;

constexpr int kChunkBytes = 16;  // bytes
template <typename T>
constexpr int kVectorValues = kChunkBytes / static_cast<int>(sizeof(T));

// The steps between neighbours along each axis, in elements; the samples of weights are the maps.
struct Strides {
  int64_t sample;
  int64_t channel;
  int64_t row;
  int64_t column;
};

// A batch of images, or weights. Flipped weights point to their last tap and have negative steps.
struct Image {
  void* data;
  Strides strides;
  int64_t samples;
  int channels;
  int height;
  int width;
  int readable;  // channels that may be read at each pixel; those behind `channels` are zeros

  __host__ __device__ int64_t pixels() const { return samples * height * width; }
  __host__ __device__ int64_t offset(const math::Pixel& pixel) const {
    return pixel.sample * strides.sample + pixel.row * strides.row + pixel.column * strides.column;
  }
  __host__ __device__ bool channels_fastest() const { return strides.channel == 1; }
};

// to[n, j, y, x] = f(bias[j] + sum over i, r, s of from[n, i, y + r - p, x + s - q] weight[j, i, r, s]), with
// p rows and q columns of padding: `from` is 0 outside.
struct Correlation {
  Image from;
  Image weight;
  Image to;
  const void* bias;  // null without one
  int padding_rows;
  int padding_columns;
  void* partial;   // partial[part][pixel][j], sums of part_terms terms each; null where the sums are not cut
  int part_terms;  // whole chunks of the kernel
  int parts;
  // For padded correlations on the tensor cores: whether a weight is infinite or NaN, for each of `weight_parts`
  // parts.
  const int* has_odd_weights = nullptr;
  int weight_parts = 0;

  __host__ __device__ int terms() const { return from.channels * weight.height * weight.width; }
};

// The weight gradient of one scale as sums over parts of the pixels: partial[part][j][column of (i, r, s)].
struct WeightGradient {
  Image gradient;  // packed, with a pixel's channels side by side
  Image from;
  int kernel_height;
  int kernel_width;
  void* partial;
  int64_t part_pixels;
  int parts;

  __host__ __device__ int columns() const { return from.channels * kernel_height * kernel_width; }
};

constexpr int kGroup = 8;  // scales, or tensors, in one launch, within the 4 KB of a kernel's arguments

// The items of one launch and the blocks of each; passed by value.
template <typename Item>
struct Group {
  Item item[kGroup];
  int64_t first_block[kGroup];
  int count;
  int64_t blocks;
};

struct BlockPlace {
  int item;
  int64_t block;  // the number of the block within its item
};

template <typename Item>
__device__ __forceinline__ BlockPlace find_block(const Group<Item>& group) {
  const int64_t block = blockIdx.x;
  int item = 0;
  while (item + 1 < group.count && block >= group.first_block[item + 1]) ++item;
  return {item, block - group.first_block[item]};
}

// Calls launch_group(group) for all items, in as few launches as their number allows.
template <typename Item, typename Blocks, typename Launch>
void for_groups(const std::vector<Item>& items, const Blocks& blocks_of, const Launch& launch_group) {
  for (size_t done = 0; done < items.size(); done += kGroup) {
    Group<Item> group = {};
    for (size_t i = done; i < std::min(items.size(), done + kGroup); ++i) {
      group.item[group.count] = items[i];
      group.first_block[group.count++] = group.blocks;
      group.blocks += blocks_of(items[i]);
    }
    launch_group(group);
  }
}

}  // namespace ebgan::cuda::valid_conv
