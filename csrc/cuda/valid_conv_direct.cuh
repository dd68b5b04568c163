// Valid convolutions on the ordinary units, for any dtype and layout. They serve thin layers, float64, exact float32
// and devices without the tensor cores' instructions.
//
//   correlate_direct  to[n, j, y, x] = f(bias[j] + sum over i, r, s of
//                                        from[n, i, y + r - p, x + s - q] weight[j, i, r, s])
//                     forward (p = q = 0), and the input gradient (p, q = kernel - 1; weights flipped)
//   weights_direct    partial[part][j][i, r, s] = sum over the part's pixels of
//                                                 g[n, j, y, x] from[n, i, y + r, x + s]
//
// Bytes for elements of b bytes: `from` and `to` pass device memory once, b (N C H W + N O H' W'); the windows of
// neighbouring pixels overlap in the L1 cache. Bias and activation cost no traffic. The weight gradient reads `from`
// once for each tile of 64 maps, and g once for each tile of 64 terms.
//
// A block holds 16 terms of the sum for all its pixels and maps in shared memory, while the next 16 are on their
// way in registers; a thread adds the products of its pixels and 4 maps.

#pragma once

#include "cuda/valid_conv_scales.cuh"
#include "cuda/vector.cuh"

namespace ebgan::cuda::valid_conv {

constexpr int kDirectThreads = 256;
constexpr int kDepth = 16;            // terms in shared memory at a time
constexpr int kMicro = 4;             // maps of a thread
constexpr int kNowhere = -(1 << 29);  // a row that stays outside whatever step is added

// The least number of blocks on a multiprocessor. Without it ptxas (nvcc 13.0) makes room for more on sm_120, and
// spills.
template <typename A>
constexpr int kDirectBlocks = sizeof(A) == 8 ? 1 : 2;

// A window: the offset of its first pixel in the source and, where used, that of its result, with the first pixel's
// row and column.
struct Window {
  int64_t from;
  int64_t result;
  int row;
  int column;
};

// A step from the first pixel and channel of a window to a term of the sum.
struct Step {
  int64_t from;
  int64_t weight;
  int row;
  int column;
};

template <typename A, int kMaps, int kRows>
struct DirectTile {
  static constexpr int kColumns = kMaps / kMicro;                    // columns of threads
  static constexpr int kPixels = kRows * kDirectThreads / kColumns;  // a thread has kRows of them
  static constexpr int kLeft = kPixels + 4;                          // a row in shared memory, still aligned
  static constexpr int kRight = kMaps + 4;
  static constexpr int kHalf = kDepth * (kLeft + kRight);
  static constexpr int kStaged = kMaps * (kPixels + 1);  // all results, before they are written
  static constexpr int kValues = 2 * kHalf > kStaged ? 2 * kHalf : kStaged;
};

// --- what both kernels do ------------------------------------------------------------------------

__device__ inline Window window_at(const Correlation& layer, int64_t index, int64_t pixels) {
  if (index >= pixels) return {0, 0, kNowhere, 0};
  const math::Pixel pixel = math::pixel_of(index, layer.to.height, layer.to.width);
  const math::Pixel first = {pixel.sample, pixel.row - layer.padding_rows,
                             pixel.column - layer.padding_columns};
  return {layer.from.offset(first), layer.to.offset(pixel), first.row, first.column};
}

__device__ inline Step step_at(const Image& from, const Image& weight, int index) {
  if (index >= from.channels * weight.height * weight.width) return {0, 0, kNowhere, 0};
  const math::Tap tap =
      math::tap_of(index, from.channels, weight.height, weight.width, from.channels_fastest());
  return {from.strides.channel * tap.channel + from.strides.row * tap.row + from.strides.column * tap.column,
          weight.strides.channel * tap.channel + weight.strides.row * tap.row +
              weight.strides.column * tap.column,
          tap.row, tap.column};
}

// The (window, step) of this thread's value i. Neighbouring threads read neighbours in memory.
template <int kWindows, int kSteps>
struct Share {
  static constexpr int kCount = kWindows * kSteps / kDirectThreads;
  static_assert(kCount * kDirectThreads == kWindows * kSteps);

  __device__ static int window(int i, bool steps_fastest) {
    const int e = i * kDirectThreads + static_cast<int>(threadIdx.x);
    return steps_fastest ? e / kSteps : e % kWindows;
  }
  __device__ static int step(int i, bool steps_fastest) {
    const int e = i * kDirectThreads + static_cast<int>(threadIdx.x);
    return steps_fastest ? e % kSteps : e / kWindows;
  }
};

__device__ inline bool is_inside(const Image& from, const Window& window, const Step& step) {
  return static_cast<unsigned>(window.row + step.row) < static_cast<unsigned>(from.height) &&
         static_cast<unsigned>(window.column + step.column) < static_cast<unsigned>(from.width);
}

// Loads this thread's share of the values at all windows and steps, which are 0 outside the image.
template <typename T, int kWindows, int kSteps, typename A, int kCount>
__device__ __forceinline__ void gather(A (&values)[kCount], const Image& from, const Window* windows,
                                       const Step* steps) {
  const T* const data = static_cast<const T*>(from.data);
  const bool steps_fastest = from.channels_fastest();
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    const Window& window = windows[Share<kWindows, kSteps>::window(i, steps_fastest)];
    const Step& step = steps[Share<kWindows, kSteps>::step(i, steps_fastest)];
    values[i] = is_inside(from, window, step) ? static_cast<A>(data[window.from + step.from]) : A(0);
  }
}

template <typename A, int kRows>
__device__ __forceinline__ void add_products(A (&sums)[kRows][kMicro], const A* left, int left_row,
                                             const A* right, int right_row) {
#pragma unroll 4
  for (int k = 0; k < kDepth; ++k) {
    const auto rows = *reinterpret_cast<const Packed<A, kRows>*>(left + k * left_row);
    const auto columns = *reinterpret_cast<const Packed<A, kMicro>*>(right + k * right_row);
#pragma unroll
    for (int a = 0; a < kRows; ++a) {
#pragma unroll
      for (int b = 0; b < kMicro; ++b) sums[a][b] += rows.value[a] * columns.value[b];
    }
  }
}

// Adds the products of a chunk that has an infinite or NaN weight: padding takes no part, as 0 times such a weight is
// NaN.
template <typename A, int kRows>
__device__ void add_products_inside(A (&sums)[kRows][kMicro], const A* left, int left_row, const A* right,
                                    int right_row, const Image& from, const Window* windows,
                                    const Step* steps) {
#pragma unroll 1
  for (int k = 0; k < kDepth; ++k) {
#pragma unroll
    for (int a = 0; a < kRows; ++a) {
      if (!is_inside(from, windows[a], steps[k])) continue;
#pragma unroll
      for (int b = 0; b < kMicro; ++b) sums[a][b] += left[k * left_row + a] * right[k * right_row + b];
    }
  }
}

// --- kernels -------------------------------------------------------------------------------------

template <typename T, int kMaps, int kRows>
__global__ void __launch_bounds__(kDirectThreads, kDirectBlocks<Accumulator<T>>)
    correlate_direct(const __grid_constant__ Group<Correlation> group, const Activation activation) {
  using A = Accumulator<T>;
  using Tile = DirectTile<A, kMaps, kRows>;
  using Pixels = Share<Tile::kPixels, kDepth>;
  constexpr int kWeights = (kDepth * kMaps + kDirectThreads - 1) / kDirectThreads;
  alignas(16) __shared__ A shared[Tile::kValues];
  __shared__ Window windows[Tile::kPixels];
  __shared__ Step steps[2][kDepth];

  const BlockPlace place = find_block(group);
  const Correlation& layer = group.item[place.item];
  const int thread = static_cast<int>(threadIdx.x);
  const int64_t pixels = layer.to.pixels();
  const int64_t map_tiles = ceil_div(layer.to.channels, kMaps);
  const int first_map = static_cast<int>(place.block % map_tiles) * kMaps;
  const int64_t first_pixel = place.block / map_tiles * Tile::kPixels;
  const int maps = layer.to.channels - first_map;
  const bool steps_fastest = layer.from.channels_fastest();
  const T* const weights = static_cast<const T*>(layer.weight.data) + first_map * layer.weight.strides.sample;

  for (int i = thread; i < Tile::kPixels; i += kDirectThreads) {
    windows[i] = window_at(layer, first_pixel + i, pixels);
  }
  if (thread < 2 * kDepth)
    steps[thread / kDepth][thread % kDepth] = step_at(layer.from, layer.weight, thread);
  __syncthreads();

  A from_values[Pixels::kCount];
  A weight_values[kWeights];
  const bool padded = layer.padding_rows + layer.padding_columns > 0;
  bool all_finite = true;  // whether this thread's weights in the chunk that is loaded are
  const auto load_chunk = [&](int chunk) {
    gather<T, Tile::kPixels, kDepth>(from_values, layer.from, windows, steps[chunk & 1]);
    all_finite = true;
#pragma unroll
    for (int i = 0; i < kWeights; ++i) {
      const int e = i * kDirectThreads + thread;
      const Step& step = steps[chunk & 1][e % kDepth];
      const int map = e / kDepth;
      const bool inside = map < maps && map < kMaps && step.row >= 0;
      weight_values[i] =
          inside ? static_cast<A>(weights[map * layer.weight.strides.sample + step.weight]) : A(0);
      all_finite = all_finite && isfinite(weight_values[i]);
    }
  };
  const auto store_chunk = [&](int chunk) {
    A* const left = shared + (chunk & 1) * Tile::kHalf;
    A* const right = left + kDepth * Tile::kLeft;
#pragma unroll
    for (int i = 0; i < Pixels::kCount; ++i) {
      left[Pixels::step(i, steps_fastest) * Tile::kLeft + Pixels::window(i, steps_fastest)] = from_values[i];
    }
#pragma unroll
    for (int i = 0; i < kWeights; ++i) {
      const int e = i * kDirectThreads + thread;
      if (e / kDepth < kMaps) right[e % kDepth * Tile::kRight + e / kDepth] = weight_values[i];
    }
  };

  const int row = thread / Tile::kColumns * kRows;
  const int column = thread % Tile::kColumns * kMicro;
  A sums[kRows][kMicro] = {};
  const int chunks = (layer.terms() + kDepth - 1) / kDepth;
  load_chunk(0);
  store_chunk(0);
  bool some_odd = __syncthreads_or(padded && !all_finite);
  for (int chunk = 0; chunk < chunks; ++chunk) {
    const bool more = chunk + 1 < chunks;
    if (more) load_chunk(chunk + 1);
    const A* const left = shared + (chunk & 1) * Tile::kHalf;
    const A* const right = left + kDepth * Tile::kLeft;
    if (some_odd) {
      add_products_inside(sums, left + row, Tile::kLeft, right + column, Tile::kRight, layer.from,
                          windows + row, steps[chunk & 1]);
      __syncthreads();  // The steps are overwritten next.
    } else {
      add_products(sums, left + row, Tile::kLeft, right + column, Tile::kRight);
    }
    if (more) store_chunk(chunk + 1);
    if (thread < kDepth) {
      steps[chunk & 1][thread] = step_at(layer.from, layer.weight, (chunk + 2) * kDepth + thread);
    }
    some_odd = __syncthreads_or(padded && !all_finite);
  }

  // Results pass through shared memory, so that neighbouring threads write neighbours in either layout.
#pragma unroll
  for (int a = 0; a < kRows; ++a) {
#pragma unroll
    for (int b = 0; b < kMicro; ++b) shared[(column + b) * (Tile::kPixels + 1) + row + a] = sums[a][b];
  }
  __syncthreads();
  const T* const bias = static_cast<const T*>(layer.bias);
  const bool maps_fastest = layer.to.channels_fastest();
  for (int e = thread; e < kMaps * Tile::kPixels; e += kDirectThreads) {
    const int map = maps_fastest ? e % kMaps : e / Tile::kPixels;
    const int pixel = maps_fastest ? e / kMaps : e % Tile::kPixels;
    if (map >= maps || first_pixel + pixel >= pixels) continue;
    A value = shared[map * (Tile::kPixels + 1) + pixel];
    if (bias) value += static_cast<A>(bias[first_map + map]);
    static_cast<T*>(layer.to.data)[windows[pixel].result + (first_map + map) * layer.to.strides.channel] =
        static_cast<T>(math::activate(activation, value));
  }
}

constexpr int kWeightTile = 64;  // maps of a tile of the weight gradient, and terms

template <typename T>
__global__ void __launch_bounds__(kDirectThreads, kDirectBlocks<Accumulator<T>>)
    weights_direct(const __grid_constant__ Group<WeightGradient> group) {
  using A = Accumulator<T>;
  using Tile = DirectTile<A, kWeightTile, kMicro>;
  using Terms = Share<kDepth, kWeightTile>;
  static_assert(Tile::kPixels == kWeightTile);
  alignas(16) __shared__ A shared[2 * Tile::kHalf];
  __shared__ Window windows[2][kDepth];
  __shared__ Step steps[kWeightTile];

  const BlockPlace place = find_block(group);
  const WeightGradient& layer = group.item[place.item];
  const Image& from = layer.from;
  const int thread = static_cast<int>(threadIdx.x);
  const int columns = layer.columns();
  const int64_t map_tiles = ceil_div(layer.gradient.channels, kWeightTile);
  const int64_t column_tiles = ceil_div(columns, kWeightTile);
  const int first_map = static_cast<int>(place.block % map_tiles) * kWeightTile;
  const int first_column = static_cast<int>(place.block / map_tiles % column_tiles) * kWeightTile;
  const int64_t part = place.block / (map_tiles * column_tiles);
  const int64_t begin = part * layer.part_pixels;
  const int64_t pixels = layer.gradient.pixels();
  const int64_t end = begin + layer.part_pixels < pixels ? begin + layer.part_pixels : pixels;
  const bool steps_fastest = from.channels_fastest();
  const T* const gradients = static_cast<const T*>(layer.gradient.data);

  // The window of every pixel of the gradient is inside, so only windows behind the last pixel are marked.
  const auto window = [&](int64_t index) -> Window {
    if (index >= end) return {0, 0, kNowhere, 0};
    return {from.offset(math::pixel_of(index, layer.gradient.height, layer.gradient.width)), 0, 0, 0};
  };
  if (thread < kWeightTile) {
    const Image kernel = {nullptr, {}, 0, 0, layer.kernel_height, layer.kernel_width, 0};
    steps[thread] = step_at(from, kernel, first_column + thread);
    if (steps[thread].row >= 0) steps[thread].row = steps[thread].column = 0;
  }
  if (thread < 2 * kDepth) windows[thread / kDepth][thread % kDepth] = window(begin + thread);
  __syncthreads();

  A from_values[Terms::kCount];
  A gradient_values[Terms::kCount];
  const auto load_chunk = [&](int64_t chunk) {
    gather<T, kDepth, kWeightTile>(from_values, from, windows[chunk & 1], steps);
#pragma unroll
    for (int i = 0; i < Terms::kCount; ++i) {
      const int e = i * kDirectThreads + thread;
      const int64_t pixel = begin + chunk * kDepth + e / kWeightTile;
      const int map = first_map + e % kWeightTile;
      const bool inside = pixel < end && map < layer.gradient.channels;
      gradient_values[i] =
          inside ? static_cast<A>(gradients[pixel * layer.gradient.strides.column + map]) : A(0);
    }
  };
  const auto store_chunk = [&](int64_t chunk) {
    A* const left = shared + (chunk & 1) * Tile::kHalf;
    A* const right = left + kDepth * Tile::kLeft;
#pragma unroll
    for (int i = 0; i < Terms::kCount; ++i) {
      const int e = i * kDirectThreads + thread;
      left[e / kWeightTile * Tile::kLeft + e % kWeightTile] = gradient_values[i];
      right[Terms::window(i, steps_fastest) * Tile::kRight + Terms::step(i, steps_fastest)] = from_values[i];
    }
  };

  const int row = thread / Tile::kColumns * kMicro;
  const int column = thread % Tile::kColumns * kMicro;
  A sums[kMicro][kMicro] = {};
  const int64_t chunks = ceil_div(end - begin, kDepth);
  load_chunk(0);
  store_chunk(0);
  __syncthreads();
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    const bool more = chunk + 1 < chunks;
    if (more) load_chunk(chunk + 1);
    const A* const left = shared + (chunk & 1) * Tile::kHalf;
    add_products(sums, left + row, Tile::kLeft, left + kDepth * Tile::kLeft + column, Tile::kRight);
    if (more) store_chunk(chunk + 1);
    if (thread < kDepth) windows[chunk & 1][thread] = window(begin + (chunk + 2) * kDepth + thread);
    __syncthreads();
  }

  A* const partial = static_cast<A*>(layer.partial) + part * layer.gradient.channels * columns;
#pragma unroll
  for (int a = 0; a < kMicro; ++a) {
#pragma unroll
    for (int b = 0; b < kMicro; ++b) {
      const int map = first_map + row + a;
      const int term = first_column + column + b;
      if (map < layer.gradient.channels && term < columns) {
        partial[int64_t{map} * columns + term] = sums[a][b];
      }
    }
  }
}

// --- launchers -----------------------------------------------------------------------------------

// Launches tiles of kMaps maps; a layer of more maps takes several beside each other.
template <typename T, int kMaps, int kRows>
void launch_direct(const std::vector<Correlation>& layers, Activation activation, cudaStream_t stream) {
  using Tile = DirectTile<Accumulator<T>, kMaps, kRows>;
  for_groups(
      layers,
      [](const Correlation& layer) {
        return ceil_div(layer.to.pixels(), Tile::kPixels) * ceil_div(layer.to.channels, kMaps);
      },
      [&](const Group<Correlation>& group) {
        launch(correlate_direct<T, kMaps, kRows>, LaunchShape{group.blocks, kDirectThreads}, stream, group,
               activation);
      });
}

template <typename T>
void launch_direct_weights(const std::vector<WeightGradient>& layers, cudaStream_t stream) {
  for_groups(
      layers,
      [](const WeightGradient& layer) {
        return layer.parts * ceil_div(layer.gradient.channels, kWeightTile) *
               ceil_div(layer.columns(), kWeightTile);
      },
      [&](const Group<WeightGradient>& group) {
        launch(weights_direct<T>, LaunchShape{group.blocks, kDirectThreads}, stream, group);
      });
}

}  // namespace ebgan::cuda::valid_conv
