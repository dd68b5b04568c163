// Prediction loss and its gradients over planes or volumes, of a whole batch or of each sample.
//
// Bytes for N elements of b bytes: 2 N b read and, for each gradient wanted, N b written. A thread goes along the
// slowest spatial axis with a few neighbouring columns: it reads every slice once and carries the last pair's
// slope on to the next slice. Neighbours along the other axes come from the L1 cache, where the threads beside
// it need them too. The slices next to a strip's ends are read by two threads, the second time from L1 or L2.
//
// A thread writes the complete gradient of its elements (gather form), without atomic additions and without an
// intermediate. A second kernel adds the sums of blocks in a fixed order.

#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/device.h"
#include "cuda/gdl_terms.cuh"
#include "cuda/reduce.cuh"

namespace ebgan::cuda::gdl {

constexpr int kThreads = 256;
constexpr int kThreadColumns = 4;  // of a vector, 16 bytes in float32 and 8 in half types
// The most slices of a thread, of which one on either side is read twice. Strips stay shorter while there are fewer
// than kFillingThreads threads for each multiprocessor, several times what it runs at once, so that the last threads
// to run leave little of the device idle. Other lengths were not measured.
constexpr int kLongestStrip = 16;
constexpr int kFillingThreads = 4096;
// The least number of blocks on a multiprocessor, which bounds their registers.
template <typename A, int kAxes, bool kTarget>
constexpr int kBlocksTogether = sizeof(A) == 4 && kAxes == 2 && !kTarget ? 3 : 2;

// Images as threads walk through them, along `length`, their slowest spatial axis; in two dimensions `rows` is 1.
struct Lattice {
  int64_t samples;
  int64_t planes;
  int64_t length;
  int64_t rows;
  int64_t width;

  explicit Lattice(const Extent& extent)
      : samples(extent.samples),
        planes(extent.volumes),
        length(extent.depth > 1 ? extent.depth : extent.height),
        rows(extent.depth > 1 ? extent.height : 1),
        width(extent.width) {}
};

// The cut of a sample into `items` threads, each with `strip` slices of one group of columns.
struct Cut {
  int64_t groups;
  int64_t strips;
  int64_t strip;
  int64_t items;
  int64_t blocks;  // of a sample
};

// --- kernels -------------------------------------------------------------------------------------

template <typename A, int kWidth>
struct PairBits {
  Bits<A, kWidth> prediction;
  Bits<A, kWidth> target;

  __device__ __forceinline__ void load(const Images& images, int64_t index) {
    prediction.load(images.prediction.data, images.prediction.dtype, index);
    target.load(images.target.data, images.target.dtype, index);
  }
};

// The values of neighbouring columns in one slice.
template <typename A, int kWidth>
struct Columns {
  Packed<A, kWidth> prediction;
  Packed<A, kWidth> target;

  Columns() = default;
  __device__ __forceinline__ Columns(const Images& images, const PairBits<A, kWidth>& bits)
      : prediction(bits.prediction.values(images.prediction.dtype)),
        target(bits.target.values(images.target.dtype)) {}

  __device__ __forceinline__ Values<A> operator[](int k) const {
    return {prediction.value[k], target.value[k]};
  }
};

template <typename A, int kWidth>
__device__ __forceinline__ void store_gradient(const Result& gradient, int64_t index,
                                               const Packed<A, kWidth>& values) {
  if (gradient.data == nullptr) return;
  with_type<A>(gradient.dtype,
               [&]<typename T>() { store(static_cast<T*>(gradient.data) + index, convert<T>(values)); });
}

// The sum of the terms of one strip of columns; each pair counts with its first element.
template <typename A, math::Exponent exponent, int kAxes, int kWidth, bool kTarget>
__device__ __forceinline__ A strip_terms(const Images& images, const Lattice& extent, const Cut& cut,
                                         const Objective<A>& objective, int64_t sample, int64_t item,
                                         A incoming) {
  const int64_t group = item % cut.groups;
  const int64_t of_rows = item / cut.groups;
  const int64_t row = kAxes == 3 ? of_rows % extent.rows : 0;
  const int64_t of_strips = kAxes == 3 ? of_rows / extent.rows : of_rows;
  const int64_t begin = of_strips % cut.strips * cut.strip;
  const int64_t slices_left = extent.length - begin;
  const int slices = static_cast<int>(slices_left < cut.strip ? slices_left : cut.strip);
  const bool more = slices < slices_left;  // whether slices follow the strip
  const int64_t plane = sample * extent.planes + of_strips / cut.strips;
  const int64_t slice = kAxes == 3 ? extent.rows * extent.width : extent.width;

  const bool gradient = images.grad_prediction.data != nullptr || images.grad_target.data != nullptr;
  const bool pairs = objective.has_pairs;
  const bool left = pairs && gradient && group > 0;
  const bool right = pairs && group + 1 < cut.groups;
  const bool above = kAxes == 3 && pairs && gradient && row > 0;
  const bool below = kAxes == 3 && pairs && row + 1 < extent.rows;

  int64_t index = (plane * extent.length + begin) * slice + row * extent.width + group * kWidth;
  PairBits<A, kWidth> bits;
  bits.load(images, index);
  Columns<A, kWidth> current(images, bits);
  Slope<A, kTarget> carried[kWidth];
  if (pairs && gradient && begin > 0) {
    bits.load(images, index - slice);
    const Columns<A, kWidth> before(images, bits);
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      carried[k] = pair_term<exponent, kTarget>(before[k], current[k], objective.alpha).slope;
    }
  }

  A sum = 0;
  for (int z = 1; z <= slices; ++z, index += slice) {
    const bool next = z < slices || (pairs && more);
    PairBits<A, kWidth> next_bits, above_bits, below_bits;
    PairBits<A, 1> left_bits, right_bits;
    if (next) next_bits.load(images, index + slice);
    if (left) left_bits.load(images, index - 1);
    if (right) right_bits.load(images, index + kWidth);
    if (above) above_bits.load(images, index - extent.width);
    if (below) below_bits.load(images, index + extent.width);

    Slope<A, kTarget> total[kWidth];
    // Adds the pair of column k with the next column or row.
    const auto add = [&](int k, A share, const Term<A, kTarget>& term) {
      sum += share * term.value;
      total[k].add(-share, term.slope);
    };
    if (objective.has_elements) {
#pragma unroll
      for (int k = 0; k < kWidth; ++k) {
        const Term<A, kTarget> term = element_term<kTarget>(current[k], objective.p);
        sum += objective.element_share * term.value;
        total[k].add(objective.element_share, term.slope);
      }
    }
    if (left) {
      const Columns<A, 1> outer(images, left_bits);
      total[0].add(objective.axis_share[2],
                   pair_term<exponent, kTarget>(outer[0], current[0], objective.alpha).slope);
    }
    if (pairs) {
#pragma unroll
      for (int k = 0; k + 1 < kWidth; ++k) {
        const Term<A, kTarget> term =
            pair_term<exponent, kTarget>(current[k], current[k + 1], objective.alpha);
        add(k, objective.axis_share[2], term);
        total[k + 1].add(objective.axis_share[2], term.slope);
      }
    }
    if (right) {
      const Columns<A, 1> outer(images, right_bits);
      add(kWidth - 1, objective.axis_share[2],
          pair_term<exponent, kTarget>(current[kWidth - 1], outer[0], objective.alpha));
    }
    if (above) {
      const Columns<A, kWidth> outer(images, above_bits);
#pragma unroll
      for (int k = 0; k < kWidth; ++k) {
        total[k].add(objective.axis_share[1],
                     pair_term<exponent, kTarget>(outer[k], current[k], objective.alpha).slope);
      }
    }
    if (below) {
      const Columns<A, kWidth> outer(images, below_bits);
#pragma unroll
      for (int k = 0; k < kWidth; ++k) {
        add(k, objective.axis_share[1], pair_term<exponent, kTarget>(current[k], outer[k], objective.alpha));
      }
    }
    const Columns<A, kWidth> following = next ? Columns<A, kWidth>(images, next_bits) : current;
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      total[k].add(objective.axis_share[0], carried[k]);
      if (pairs && next) {
        const Term<A, kTarget> term = pair_term<exponent, kTarget>(current[k], following[k], objective.alpha);
        add(k, objective.axis_share[0], term);
        carried[k] = term.slope;
      }
    }
    current = following;

    Packed<A, kWidth> grad_prediction, grad_target;
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      grad_prediction.value[k] = incoming * total[k].prediction;
      if constexpr (kTarget) grad_target.value[k] = incoming * total[k].target;
    }
    store_gradient(images.grad_prediction, index, grad_prediction);
    if constexpr (kTarget) store_gradient(images.grad_target, index, grad_target);
  }
  return sum;
}

// Computes the gradients and the sum of each block; `sums` is null where the sums are not wanted.
template <typename A, math::Exponent exponent, int kAxes, int kWidth, bool kTarget>
__global__ void __launch_bounds__(kThreads, kBlocksTogether<A, kAxes, kTarget>)
    stencil(const __grid_constant__ Images images, const __grid_constant__ Lattice extent,
            const __grid_constant__ Cut cut, const __grid_constant__ Objective<A> objective,
            const Incoming incoming, A* const sums) {
  __shared__ A scratch[kScratch];
  if (is_done<A>(incoming, 0)) return;
  for (int64_t i = blockIdx.x; i < extent.samples * cut.blocks; i += gridDim.x) {
    const int64_t sample = i / cut.blocks;
    const int64_t item = i % cut.blocks * kThreads + threadIdx.x;
    A sum = 0;
    if (item < cut.items) {
      sum = strip_terms<A, exponent, kAxes, kWidth, kTarget>(images, extent, cut, objective, sample, item,
                                                             incoming_at<A>(incoming, sample));
    }
    if (sums == nullptr) continue;
    sum = block_sum(sum, scratch);
    if (threadIdx.x == 0) sums[i] = sum;
    __syncthreads();
  }
}

template <typename A>
struct LossOfSum {
  A of_no_terms;
  A* losses;

  __device__ void operator()(int64_t sample, double total) const {
    losses[sample] = static_cast<A>(total) + of_no_terms;
  }
};

// --- launchers -----------------------------------------------------------------------------------

struct Plan {
  int width;  // columns of a thread
  Cut cut;
};

// Takes vectors where every row starts on one, and the longest strips that leave enough threads to fill the device.
template <typename A>
Plan plan_stencil(const Images& images, const Lattice& extent, math::Exponent exponent, int multiprocessors) {
  const auto aligned = [](const void* data, Dtype dtype) {
    return reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(kThreadColumns * size_of(dtype)) == 0;
  };
  const bool vectors = sizeof(A) == 4 && exponent != math::Exponent::kAny &&
                       extent.width % kThreadColumns == 0 &&
                       aligned(images.prediction.data, images.prediction.dtype) &&
                       aligned(images.target.data, images.target.dtype) &&
                       aligned(images.grad_prediction.data, images.prediction.dtype) &&
                       aligned(images.grad_target.data, images.target.dtype);
  Plan plan = {vectors ? kThreadColumns : 1, {}};
  Cut& cut = plan.cut;
  cut.groups = extent.width / plan.width;
  const int64_t threads_per_slice = extent.planes * extent.rows * cut.groups;
  const int64_t slices = extent.samples * threads_per_slice * extent.length;
  cut.strip = std::clamp<int64_t>(slices / (int64_t{multiprocessors} * kFillingThreads), 1, kLongestStrip);
  cut.strips = ceil_div(extent.length, cut.strip);
  cut.items = threads_per_slice * cut.strips;
  cut.blocks = ceil_div(cut.items, kThreads);
  return plan;
}

template <typename A, math::Exponent exponent, int kAxes>
auto stencil_of(int width, bool need_target) {
  if constexpr (sizeof(A) == 4 && exponent != math::Exponent::kAny) {
    if (width == kThreadColumns) {
      return need_target ? stencil<A, exponent, kAxes, kThreadColumns, true>
                         : stencil<A, exponent, kAxes, kThreadColumns, false>;
    }
    if (!need_target) return stencil<A, exponent, kAxes, 1, false>;
  }
  return stencil<A, exponent, kAxes, 1, true>;
}

// The sum of each block goes to `sums`, unless that is null. Without sums there are no more blocks than the device
// runs at once, so that leaving at an incoming gradient of 1 takes no longer than a launch.
template <typename A>
void launch_stencil(const Images& images, const Lattice& extent, const Plan& plan,
                    const Objective<A>& objective, const Incoming& incoming, A* sums, int multiprocessors,
                    cudaStream_t stream) {
  const int64_t blocks = extent.samples * plan.cut.blocks;
  const int64_t most = sums ? kMaxBlocks : int64_t{multiprocessors} * kBlocksTogether<A, 3, true>;
  const bool need_target = images.grad_target.data != nullptr;
  with_exponent(static_cast<double>(objective.alpha), [&]<math::Exponent exponent>() {
    launch(extent.rows > 1 ? stencil_of<A, exponent, 3>(plan.width, need_target)
                           : stencil_of<A, exponent, 2>(plan.width, need_target),
           LaunchShape{std::min(blocks, most), kThreads}, stream, images, extent, plan.cut, objective,
           incoming, sums);
  });
}

template <typename A>
void launch_losses(const A* sums, int64_t samples, int64_t parts, const Objective<A>& objective, A* losses,
                   cudaStream_t stream) {
  const LaunchShape shape = {std::min(samples, kMaxBlocks), threads_for(8 * parts, kThreads)};
  launch(add_parts<A, LossOfSum<A>>, shape, stream, sums, samples, parts,
         LossOfSum<A>{objective.of_no_terms(), losses});
}

}  // namespace ebgan::cuda::gdl
