// Valid convolutions of many channels to at most four maps, contiguous: the last layer of a generator.
//
//   to[n, j, y, x] = f(bias[j] + sum over i, r, s of from[n, i, y + r, x + s] weight[j, i, r, s]),  j < 4
//
// Bytes for elements of b bytes: b (N C H W + N O H' W'), the first term nearly all. A thread has four outputs
// below each other in all maps, and slides down the rows. Each value that it loads serves up to four windows, so
// the L1 cache delivers (3 + R) / 4 R values for each product of a value with all maps, where a thread of one
// output would take one. Neighbouring threads load neighbours; all threads read the same weights from shared
// memory.

#pragma once

#include "cuda/valid_conv_scales.cuh"
#include "cuda/vector.cuh"

namespace ebgan::cuda::valid_conv {

constexpr int kMostFewMaps = 4;
constexpr int kSlidingRows = 4;
constexpr int kSlidingThreads = 128;
constexpr int kStagedTerms = 1024;  // terms whose weights are in shared memory at a time

template <typename T>
__global__ void __launch_bounds__(kSlidingThreads)
    correlate_few(const __grid_constant__ Group<Correlation> group, const Activation activation) {
  using A = Accumulator<T>;
  using Maps = Packed<A, kMostFewMaps>;
  __shared__ Maps staged[kStagedTerms];

  const BlockPlace place = find_block(group);
  const Correlation& layer = group.item[place.item];
  const Image& from = layer.from;
  const Image& weight = layer.weight;
  const Image& to = layer.to;
  const int thread = static_cast<int>(threadIdx.x);
  const int taps = weight.height * weight.width;

  const math::Pixel at = math::pixel_of(place.block * kSlidingThreads + thread,
                                        (to.height + kSlidingRows - 1) / kSlidingRows, to.width);
  const bool has_outputs = at.sample < to.samples;
  const math::Pixel first = {at.sample, at.row * kSlidingRows, at.column};
  const int rows_left = has_outputs ? from.height - first.row : 0;
  const T* const window = static_cast<const T*>(from.data) + from.offset(first);
  const auto load_row = [&](const T* column, int row) {
    return row < rows_left ? static_cast<A>(column[row * from.strides.row]) : A(0);
  };

  A sums[kSlidingRows][kMostFewMaps] = {};
  const int channels_at_once = kStagedTerms / taps;
  for (int channel = 0; channel < from.channels; channel += channels_at_once) {
    const int channels =
        from.channels - channel < channels_at_once ? from.channels - channel : channels_at_once;
    __syncthreads();
    for (int e = thread; e < channels * taps * kMostFewMaps; e += kSlidingThreads) {
      const int map = e % kMostFewMaps;
      const int term = e / kMostFewMaps;  // terms are in the order of their use: channel, column, row
      const int64_t offset = map * weight.strides.sample + (channel + term / taps) * weight.strides.channel +
                             term % taps / weight.height * weight.strides.column +
                             term % weight.height * weight.strides.row;
      staged[term].value[map] =
          map < to.channels ? static_cast<A>(static_cast<const T*>(weight.data)[offset]) : A(0);
    }
    __syncthreads();
    const Maps* weights = staged;
    for (int i = 0; i < channels; ++i) {
      for (int s = 0; s < weight.width; ++s) {
        const T* const column = window + (channel + i) * from.strides.channel + s * from.strides.column;
        A values[kSlidingRows];
#pragma unroll
        for (int a = 0; a < kSlidingRows; ++a) values[a] = load_row(column, a);
        for (int r = 0; r < weight.height; ++r, ++weights) {
          const A next = load_row(column, r + kSlidingRows);
          const Maps here = *weights;
#pragma unroll
          for (int a = 0; a < kSlidingRows; ++a) {
#pragma unroll
            for (int b = 0; b < kMostFewMaps; ++b) sums[a][b] += values[a] * here.value[b];
          }
#pragma unroll
          for (int a = 0; a + 1 < kSlidingRows; ++a) values[a] = values[a + 1];
          values[kSlidingRows - 1] = next;
        }
      }
    }
  }

  if (!has_outputs) return;
  const T* const bias = static_cast<const T*>(layer.bias);
  T* const outputs = static_cast<T*>(to.data) + to.offset(first);
#pragma unroll
  for (int a = 0; a < kSlidingRows; ++a) {
#pragma unroll
    for (int b = 0; b < kMostFewMaps; ++b) {
      if (first.row + a >= to.height || b >= to.channels) continue;
      A value = sums[a][b];
      if (bias) value += static_cast<A>(bias[b]);
      outputs[a * to.strides.row + b * to.strides.channel] =
          static_cast<T>(math::activate(activation, value));
    }
  }
}

// --- launcher ------------------------------------------------------------------------------------

template <typename T>
void launch_few(const std::vector<Correlation>& layers, Activation activation, cudaStream_t stream) {
  for_groups(
      layers,
      [](const Correlation& layer) {
        const int64_t rows = ceil_div(layer.to.height, kSlidingRows);
        return ceil_div(layer.to.samples * rows * layer.to.width, kSlidingThreads);
      },
      [&](const Group<Correlation>& group) {
        launch(correlate_few<T>, LaunchShape{group.blocks, kSlidingThreads}, stream, group, activation);
      });
}

}  // namespace ebgan::cuda::valid_conv
