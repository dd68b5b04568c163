// The steps before and after the products of valid convolutions: tensors are repacked channels-last, with the
// activation's gradient and the bias gradient on the way, and partial sums are added.
//
//   pack            packed[pixel, c] = in[n, c, y, x], or f'(out) * grad_out; 0 for c from C to whole vectors
//                   part_sums[part, c] = sum over the part's pixels of f'(out) * grad_out
//   finish_weights  grad_weight[j, i, r, s] = sum over parts of partial[part][j][i, r, s];
//                   grad_bias[j] = sum over parts of part_sums[part, j]
//   finish_outputs  to[n, j, y, x] = f(bias[j] + sum over parts of partial[part][pixel][j])
//
// Bytes for N values of b bytes: pack reads N b (2 N b with an activation) and writes N b; both gradients then read
// the product, where each would read two tensors. Sums have a fixed order, so the same input gives the same bits.

#pragma once

#include "cuda/reduce.cuh"
#include "cuda/valid_conv_scales.cuh"

namespace ebgan::cuda::valid_conv {

constexpr int kPackThreads = 256;
constexpr int kPackPixels = 64;       // pixels of a tile
constexpr int kPackChannels = kWarp;  // channels of a block
constexpr int kPackWarps = kPackThreads / kWarp;
constexpr int kMostParts = 128;  // parts of a bias gradient at most

struct Packing {
  Image from;
  const void* output;  // the output of the activation whose gradient is taken; null without one
  Strides output_strides;
  void* packed;     // pixels by `width`
  void* part_sums;  // parts by channels; null where not wanted
  int* has_odd;     // for each block whether a value is infinite or NaN; null where not wanted
  int width;
  int parts;
  int64_t part_pixels;  // a multiple of kPackPixels

  __host__ __device__ int64_t channel_tiles() const { return ceil_div(width, kPackChannels); }
  __host__ __device__ int64_t blocks() const { return parts * channel_tiles(); }
};

template <typename T>
__global__ void __launch_bounds__(kPackThreads)
    pack(const __grid_constant__ Group<Packing> group, const Activation activation) {
  using A = Accumulator<T>;
  __shared__ A tile[kPackChannels][kPackPixels + 1];
  __shared__ A warp_sums[kPackWarps][kPackChannels];

  const BlockPlace place = find_block(group);
  const Packing& packing = group.item[place.item];
  const Image& from = packing.from;
  const int thread = static_cast<int>(threadIdx.x);
  const int64_t channel_tiles = packing.channel_tiles();
  const int first_channel = static_cast<int>(place.block % channel_tiles) * kPackChannels;
  const int64_t part = place.block / channel_tiles;
  const int64_t begin = part * packing.part_pixels;
  const int64_t pixels = from.pixels();
  const int64_t end = begin + packing.part_pixels < pixels ? begin + packing.part_pixels : pixels;
  const bool channels_fastest = from.channels_fastest();
  const int own_channel = thread % kPackChannels;  // the channel of this thread when the tile is written
  const T* const data = static_cast<const T*>(from.data);
  const T* const output = static_cast<const T*>(packing.output);
  T* const packed = static_cast<T*>(packing.packed);
  A sum = 0;

  for (int64_t first = begin; first < end; first += kPackPixels) {
#pragma unroll 2
    for (int e = thread; e < kPackPixels * kPackChannels; e += kPackThreads) {
      const int channel = channels_fastest ? e % kPackChannels : e / kPackPixels;
      const int pixel = channels_fastest ? e / kPackChannels : e % kPackPixels;
      A value = 0;
      if (first + pixel < end && first_channel + channel < from.channels) {
        const math::Pixel at = math::pixel_of(first + pixel, from.height, from.width);
        const int64_t c = first_channel + channel;
        value = static_cast<A>(data[from.offset(at) + c * from.strides.channel]);
        if (output) {
          const Strides& steps = packing.output_strides;
          const int64_t there =
              at.sample * steps.sample + at.row * steps.row + at.column * steps.column + c * steps.channel;
          value = math::activation_gradient(activation, static_cast<A>(output[there]), value);
        }
      }
      tile[channel][pixel] = value;
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < kPackPixels / kPackWarps; ++i) {
      const int pixel = thread / kPackChannels + i * kPackWarps;
      const A value = tile[own_channel][pixel];
      sum += value;
      if (first + pixel < end && first_channel + own_channel < packing.width) {
        packed[(first + pixel) * packing.width + first_channel + own_channel] = static_cast<T>(value);
      }
    }
    __syncthreads();
  }

  if (packing.has_odd) {
    // A value that is infinite or NaN makes the sum so. A sum that overflows takes the slow way without need.
    const int some_odd = __syncthreads_or(!isfinite(sum));
    if (thread == 0) packing.has_odd[place.block] = some_odd;
  }
  if (packing.part_sums == nullptr) return;
  warp_sums[thread / kPackChannels][own_channel] = sum;
  __syncthreads();
  if (thread >= kPackChannels || first_channel + thread >= from.channels) return;
  A total = 0;
  for (int warp = 0; warp < kPackWarps; ++warp) total += warp_sums[warp][thread];
  static_cast<A*>(packing.part_sums)[part * from.channels + first_channel + thread] = total;
}

constexpr int kFinishThreads = 256;

struct Finish {
  Image weight;  // the samples are the maps; null data where not wanted
  const void* partial;
  int parts;
  int channels;  // channels in the columns of partial sums, with those that only fill vectors
  bool channels_fastest;
  void* bias;  // null where not wanted
  const void* part_sums;
  int bias_parts;

  __host__ __device__ int taps() const { return weight.height * weight.width; }
  __host__ __device__ int64_t weight_blocks() const {
    return weight.data ? ceil_div(weight.samples * weight.channels * taps(), kFinishThreads) : 0;
  }
};

// Adds the parts of one weight's gradient. Threads take weights in the order of memory: reads out of order come
// from the L1 cache, where writes out of order would go to L2 one value at a time.
template <typename T>
__device__ void finish_weight(const Finish& finish, int64_t index) {
  using A = Accumulator<T>;
  const Image& weight = finish.weight;
  const int size = weight.channels * finish.taps();
  if (index >= weight.samples * size) return;
  const int64_t map = index / size;
  const math::Tap tap = math::tap_of(static_cast<int>(index - map * size), weight.channels, weight.height,
                                     weight.width, weight.channels_fastest());
  const int column =
      math::term_of(tap, finish.channels, weight.height, weight.width, finish.channels_fastest);
  const int64_t columns = int64_t{finish.channels} * finish.taps();
  const A* const partial = static_cast<const A*>(finish.partial) + map * columns + column;
  A sum = 0;
#pragma unroll 4
  for (int part = 0; part < finish.parts; ++part) sum += partial[part * weight.samples * columns];
  const int64_t offset = weight.offset({map, tap.row, tap.column}) + tap.channel * weight.strides.channel;
  static_cast<T*>(weight.data)[offset] = static_cast<T>(sum);
}

// Adds the parts of a bias gradient: every warp adds a share of them, in order, and the first warp adds the shares.
template <typename T>
__device__ void finish_bias(const Finish& finish, int64_t first) {
  using A = Accumulator<T>;
  __shared__ A shares[kFinishThreads / kWarp][kWarp];
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int64_t map = first + lane;
  const A* const part_sums = static_cast<const A*>(finish.part_sums) + map;
  A sum = 0;
  if (map < finish.weight.samples) {
    for (int part = warp; part < finish.bias_parts; part += kFinishThreads / kWarp) {
      sum += part_sums[part * finish.weight.samples];
    }
  }
  shares[warp][lane] = sum;
  __syncthreads();
  if (warp != 0 || map >= finish.weight.samples) return;
  A total = 0;
  for (int i = 0; i < kFinishThreads / kWarp; ++i) total += shares[i][lane];
  static_cast<T*>(finish.bias)[map] = static_cast<T>(total);
}

template <typename T>
__global__ void __launch_bounds__(kFinishThreads)
    finish_weights(const __grid_constant__ Group<Finish> group) {
  const BlockPlace place = find_block(group);
  const Finish& finish = group.item[place.item];
  const int64_t weight_blocks = finish.weight_blocks();
  if (place.block < weight_blocks) {
    finish_weight<T>(finish, place.block * kFinishThreads + threadIdx.x);
  } else {
    finish_bias<T>(finish, (place.block - weight_blocks) * kWarp);
  }
}

// Finishes correlations whose terms were cut. A tile passes through shared memory, because partial sums have maps
// side by side and the result may not.
template <typename T>
__global__ void __launch_bounds__(kPackThreads)
    finish_outputs(const __grid_constant__ Group<Correlation> group, const Activation activation) {
  using A = Accumulator<T>;
  __shared__ A tile[kPackChannels][kPackPixels + 1];
  const BlockPlace place = find_block(group);
  const Correlation& layer = group.item[place.item];
  const Image& to = layer.to;
  const int thread = static_cast<int>(threadIdx.x);
  const int64_t map_tiles = ceil_div(to.channels, kPackChannels);
  const int first_map = static_cast<int>(place.block % map_tiles) * kPackChannels;
  const int64_t first = place.block / map_tiles * kPackPixels;
  const int64_t pixels = to.pixels();
  const int64_t step = pixels * to.channels;
  const A* const partial = static_cast<const A*>(layer.partial) + first_map;
  const T* const bias = static_cast<const T*>(layer.bias);

  const int own_map = thread % kPackChannels;
#pragma unroll 2
  for (int pixel = thread / kPackChannels; pixel < kPackPixels; pixel += kPackWarps) {
    if (first + pixel >= pixels || first_map + own_map >= to.channels) continue;
    const A* const parts = partial + (first + pixel) * to.channels + own_map;
    A sum = bias ? static_cast<A>(bias[first_map + own_map]) : A(0);
#pragma unroll 4
    for (int part = 0; part < layer.parts; ++part) sum += parts[part * step];
    tile[own_map][pixel] = math::activate(activation, sum);
  }
  __syncthreads();
  const bool maps_fastest = to.channels_fastest();
  for (int e = thread; e < kPackPixels * kPackChannels; e += kPackThreads) {
    const int map = maps_fastest ? e % kPackChannels : e / kPackPixels;
    const int pixel = maps_fastest ? e / kPackChannels : e % kPackPixels;
    if (first + pixel >= pixels || first_map + map >= to.channels) continue;
    const int64_t offset = to.offset(math::pixel_of(first + pixel, to.height, to.width));
    static_cast<T*>(to.data)[offset + (first_map + map) * to.strides.channel] =
        static_cast<T>(tile[map][pixel]);
  }
}

// --- launchers -----------------------------------------------------------------------------------

template <typename T>
void launch_pack(const std::vector<Packing>& packings, Activation activation, cudaStream_t stream) {
  for_groups(
      packings, [](const Packing& packing) { return packing.blocks(); },
      [&](const Group<Packing>& group) {
        launch(pack<T>, LaunchShape{group.blocks, kPackThreads}, stream, group, activation);
      });
}

// Launches finish_outputs, in which correlations whose terms were not cut have no blocks.
template <typename T>
void launch_finish_outputs(const std::vector<Correlation>& layers, Activation activation,
                           cudaStream_t stream) {
  for_groups(
      layers,
      [](const Correlation& layer) {
        return layer.partial
                   ? ceil_div(layer.to.pixels(), kPackPixels) * ceil_div(layer.to.channels, kPackChannels)
                   : 0;
      },
      [&](const Group<Correlation>& group) {
        launch(finish_outputs<T>, LaunchShape{group.blocks, kPackThreads}, stream, group, activation);
      });
}

template <typename T>
void launch_finish(const std::vector<Finish>& finishes, cudaStream_t stream) {
  for_groups(
      finishes,
      [](const Finish& finish) {
        return finish.weight_blocks() + (finish.bias ? ceil_div(finish.weight.samples, kWarp) : 0);
      },
      [&](const Group<Finish>& group) {
        launch(finish_weights<T>, LaunchShape{group.blocks, kFinishThreads}, stream, group);
      });
}

}  // namespace ebgan::cuda::valid_conv
