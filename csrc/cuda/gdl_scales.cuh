// All scales of a multi-scale prediction loss in one launch, and the pyramid of averages by itself.
//
// Bytes for N elements of b bytes at the finest scale, 4/3 N at all scales: predictions 4/3 N b read and, where
// gradients are wanted, 4/3 N b written; of the target up to 1.56 N b read. A block holds a tile of 64 x 64 elements
// of the target in shared memory with a margin of 8, one coarsest element of four scales: (80 / 64)^2 = 1.56, and
// 2.25 for the tiles of 32 x 32 of float64. Blocks side by side read the same margins, so a part of that comes from
// the L2 cache; how much was not measured. The block averages its tile there and compares every scale with its
// prediction. The averages never reach global memory, and stay in the dtype of sums.

#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/device.h"
#include "cuda/gdl_terms.cuh"
#include "cuda/reduce.cuh"

namespace ebgan::cuda::gdl {

constexpr int kScaleThreads = 256;
constexpr int kScales = 4;      // scales that one launch takes
constexpr int kAverages = 5;    // coarser levels that one launch makes
constexpr int kGradients = 32;  // levels that one launch takes; a side of 2^31 elements has no more
constexpr int kMargin = 1 << (kScales - 1);
// The least number of blocks on a multiprocessor, which bounds their registers.
template <typename A>
constexpr int kScaleBlocks = sizeof(A) == 8 ? 2 : 3;
template <typename A>
constexpr int kTile = sizeof(A) == 8 ? 32 : 64;

constexpr int pyramid_area(int side, int levels) {
  int area = 0;
  for (int k = 0; k < levels; ++k) area += (side >> k) * (side >> k);
  return area;
}

// The values of a tile with its margin at all scales, and of a tile without one at all levels.
template <typename A>
constexpr int kScaleValues = pyramid_area(kTile<A> + 2 * kMargin, kScales);
template <typename A>
constexpr int kLevelValues = pyramid_area(kTile<A>, kAverages + 1);

// Contiguous planes of one size.
struct Planes : Source {
  int64_t count;
  int64_t height;
  int64_t width;

  __host__ __device__ int64_t tiles_down(int tile) const { return ceil_div(height, tile); }
  __host__ __device__ int64_t tiles_across(int tile) const { return ceil_div(width, tile); }
  __host__ __device__ int64_t tiles(int tile) const { return count * tiles_down(tile) * tiles_across(tile); }
};

// --- a tile --------------------------------------------------------------------------------------

// Rows [top, bottom) and columns [left, right) of a plane; level(k) is where they lie in its k-th averages.
struct Box {
  int64_t top;
  int64_t bottom;
  int64_t left;
  int64_t right;

  __device__ Box level(int k) const { return {top >> k, bottom >> k, left >> k, right >> k}; }
  __device__ int columns() const { return static_cast<int>(right - left); }
  __device__ int area() const { return static_cast<int>(bottom - top) * columns(); }
};

struct Tile {
  int64_t plane;
  Box inside;

  __device__ Tile(const Planes& planes, int side, int64_t index) {
    const int64_t across = planes.tiles_across(side);
    const int64_t of_rows = index / across;
    const int64_t top = of_rows % planes.tiles_down(side) * side;
    const int64_t left = index % across * side;
    plane = of_rows / planes.tiles_down(side);
    inside = {top, smaller(top + side, planes.height), left, smaller(left + side, planes.width)};
  }

  __device__ Box with_margin(const Planes& planes, int margin) const {
    return {inside.top > margin ? inside.top - margin : 0, smaller(inside.bottom + margin, planes.height),
            inside.left > margin ? inside.left - margin : 0, smaller(inside.right + margin, planes.width)};
  }

 private:
  __device__ static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
};

// Loads a box and fills its averages; level k + 1 lies behind level k. All threads of the block enter and leave
// together. Two neighbours are read at once: one at a time, lanes two values apart met in every second bank (2.1 to 2.6
// passes a request, as counted).
template <typename A>
__device__ void fill_pyramid(A* pyramid, const Planes& planes, int64_t plane, const Box& box, int levels) {
  const int64_t first = (plane * planes.height + box.top) * planes.width + box.left;
#pragma unroll 4
  for (int i = static_cast<int>(threadIdx.x); i < box.area(); i += kScaleThreads) {
    const int64_t offset = i / box.columns() * planes.width + i % box.columns();
    pyramid[i] = load_value<A>(planes.data, planes.dtype, first + offset);
  }
  for (int k = 1; k < levels; ++k) {
    __syncthreads();
    const int finer_columns = box.level(k - 1).columns();
    const Box level = box.level(k);
    A* const coarser = pyramid + box.level(k - 1).area();
    for (int i = static_cast<int>(threadIdx.x); i < level.area(); i += kScaleThreads) {
      const A* const block = pyramid + 2 * (i / level.columns()) * finer_columns + 2 * (i % level.columns());
      const auto upper = *reinterpret_cast<const Packed<A, 2>*>(block);
      const auto lower = *reinterpret_cast<const Packed<A, 2>*>(block + finer_columns);
      coarser[i] = math::average(upper.value[0], upper.value[1], lower.value[0], lower.value[1]);
    }
    pyramid = coarser;
  }
  __syncthreads();
}

// --- kernels -------------------------------------------------------------------------------------

template <typename A>
struct ScaleOfLaunch {
  Source prediction;
  Result gradient;
  Objective<A> objective;
};

template <typename A>
struct ScalesOfLaunch {
  Planes target;
  ScaleOfLaunch<A> scale[kScales];  // finest first
  int count;
};

struct Neighbours {
  bool above;
  bool below;
  bool left;
  bool right;
};

// Handles one element of one scale: writes its complete gradient and returns the terms that count with it. `target`
// is its place in shared memory, where rows have `columns` elements.
template <math::Exponent exponent, typename A>
__device__ __forceinline__ A scale_terms(const ScaleOfLaunch<A>& scale, int64_t index, int64_t width,
                                         const A* target, int columns, const Neighbours& neighbours,
                                         A incoming) {
  const Objective<A>& objective = scale.objective;
  const auto at = [&](int64_t step, int target_step) -> Values<A> {
    return {load_value<A>(scale.prediction.data, scale.prediction.dtype, index + step), target[target_step]};
  };
  const Values<A> here = at(0, 0);
  const A alpha = objective.alpha;
  const A down = objective.axis_share[0];
  const A across = objective.axis_share[2];
  A sum = 0;
  A gradient = 0;
  const auto add = [&](A share, A sign, const Term<A, false>& term) {
    sum += share * term.value;
    gradient += sign * share * term.slope.prediction;
  };
  if (objective.has_elements) add(objective.element_share, A(1), element_term<false>(here, objective.p));
  if (objective.has_pairs) {
    if (neighbours.below) add(down, A(-1), pair_term<exponent, false>(here, at(width, columns), alpha));
    if (neighbours.right) add(across, A(-1), pair_term<exponent, false>(here, at(1, 1), alpha));
  }
  if (scale.gradient.data == nullptr) return sum;
  if (objective.has_pairs) {
    const A counted = sum;
    if (neighbours.above) add(down, A(1), pair_term<exponent, false>(at(-width, -columns), here, alpha));
    if (neighbours.left) add(across, A(1), pair_term<exponent, false>(at(-1, -1), here, alpha));
    sum = counted;  // the pairs above and to the left count with their first elements
  }
  store_value<A>(scale.gradient.data, scale.gradient.dtype, index, incoming * gradient);
  return sum;
}

// Computes all scales, a block for each tile, whose sum goes to `sums` unless that is null.
template <typename A, math::Exponent exponent>
__global__ void __launch_bounds__(kScaleThreads, kScaleBlocks<A>)
    multiscale(const __grid_constant__ ScalesOfLaunch<A> scales, const Incoming incoming, A* const sums) {
  alignas(16) __shared__ A pyramid[kScaleValues<A>];
  __shared__ A scratch[kScratch];
  if (is_done<A>(incoming, 0)) return;
  const Planes& planes = scales.target;
  const A factor = incoming_at<A>(incoming, 0);
  for (int64_t t = blockIdx.x; t < planes.tiles(kTile<A>); t += gridDim.x) {
    const Tile tile(planes, kTile<A>, t);
    const Box box = tile.with_margin(planes, kMargin);
    fill_pyramid(pyramid, planes, tile.plane, box, scales.count);
    const A* target = pyramid;
    A sum = 0;
    for (int k = 0; k < scales.count; ++k) {
      const Box inside = tile.inside.level(k);
      const Box held = box.level(k);
      const int64_t height = planes.height >> k;
      const int64_t width = planes.width >> k;
      for (int i = static_cast<int>(threadIdx.x); i < inside.area(); i += kScaleThreads) {
        const int64_t y = inside.top + i / inside.columns();
        const int64_t x = inside.left + i % inside.columns();
        const int64_t index = (tile.plane * height + y) * width + x;
        const A* const here = target + (y - held.top) * held.columns() + (x - held.left);
        const Neighbours neighbours = {y > 0, y + 1 < height, x > 0, x + 1 < width};
        sum += scale_terms<exponent>(scales.scale[k], index, width, here, held.columns(), neighbours, factor);
      }
      target += held.area();
    }
    if (sums) {
      sum = block_sum(sum, scratch);
      if (threadIdx.x == 0) sums[t] = sum;
    }
    __syncthreads();
  }
}

template <typename A>
struct Averages {
  void* level[kAverages] = {};  // finest first; null where not wanted
  Dtype dtype = Dtype::kFloat32;
  int count = 0;
  A* coarsest = nullptr;  // the coarsest level, not rounded; null where not wanted
};

template <typename A>
__global__ void __launch_bounds__(kScaleThreads)
    averages(const __grid_constant__ Planes planes, const __grid_constant__ Averages<A> outputs) {
  alignas(16) __shared__ A pyramid[kLevelValues<A>];
  for (int64_t t = blockIdx.x; t < planes.tiles(kTile<A>); t += gridDim.x) {
    const Tile tile(planes, kTile<A>, t);
    fill_pyramid(pyramid, planes, tile.plane, tile.inside, outputs.count + 1);
    const A* values = pyramid;
    for (int k = 1; k <= outputs.count; ++k) {
      values += tile.inside.level(k - 1).area();
      const Box level = tile.inside.level(k);
      const int64_t width = planes.width >> k;
      const int64_t first = (tile.plane * (planes.height >> k) + level.top) * width + level.left;
      for (int i = static_cast<int>(threadIdx.x); i < level.area(); i += kScaleThreads) {
        const int64_t index = first + i / level.columns() * width + i % level.columns();
        if (outputs.level[k - 1]) store_value<A>(outputs.level[k - 1], outputs.dtype, index, values[i]);
        if (k == outputs.count && outputs.coarsest) outputs.coarsest[index] = values[i];
      }
    }
    __syncthreads();
  }
}

// The gradients of the averages, finest first.
struct LevelGradients {
  Source level[kGradients];
  int count = 0;
};

// Computes gradient = up(g_1 + up(g_2 + ...) / 4) / 4, where up repeats a value over its 2 x 2 block. N b / 3 bytes
// are read and N b written; a coarse value comes from the L1 cache for all but the first element of its block.
template <typename A>
__global__ void __launch_bounds__(kScaleThreads)
    averages_backward(const __grid_constant__ LevelGradients gradients, const __grid_constant__ Planes planes,
                      void* const result) {
  const int64_t elements = planes.count * planes.height * planes.width;
  const int64_t step = int64_t{gridDim.x} * kScaleThreads;
  for (int64_t i = int64_t{blockIdx.x} * kScaleThreads + threadIdx.x; i < elements; i += step) {
    const int64_t x = i % planes.width;
    const int64_t y = i / planes.width % planes.height;
    const int64_t plane = i / (planes.width * planes.height);
    A value = 0;
    for (int k = gradients.count; k > 0; --k) {
      const int64_t index = (plane * (planes.height >> k) + (y >> k)) * (planes.width >> k) + (x >> k);
      value =
          A(0.25) * (load_value<A>(gradients.level[k - 1].data, gradients.level[k - 1].dtype, index) + value);
    }
    store_value<A>(result, planes.dtype, i, value);
  }
}

// --- launchers -----------------------------------------------------------------------------------

template <typename A>
void launch_scales(const ScalesOfLaunch<A>& scales, const Incoming& incoming, A* sums, cudaStream_t stream) {
  const LaunchShape shape = {std::min(scales.target.tiles(kTile<A>), kMaxBlocks), kScaleThreads};
  with_exponent(static_cast<double>(scales.scale[0].objective.alpha), [&]<math::Exponent exponent>() {
    launch(multiscale<A, exponent>, shape, stream, scales, incoming, sums);
  });
}

template <typename A>
void launch_averages(const Planes& planes, const Averages<A>& outputs, cudaStream_t stream) {
  const LaunchShape shape = {std::min(planes.tiles(kTile<A>), kMaxBlocks), kScaleThreads};
  launch(averages<A>, shape, stream, planes, outputs);
}

template <typename A>
void launch_averages_backward(const LevelGradients& gradients, const Planes& planes, void* result,
                              cudaStream_t stream) {
  const int64_t blocks = ceil_div(planes.count * planes.height * planes.width, kScaleThreads);
  launch(averages_backward<A>, LaunchShape{std::min(blocks, kMaxBlocks), kScaleThreads}, stream, gradients,
         planes, result);
}

}  // namespace ebgan::cuda::gdl
