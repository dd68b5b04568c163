// The gradient-difference family on CUDA: prediction loss, multi-scale prediction loss, average pyramid.
//
//   element    |P - T|^p                                        prediction P, target T, p = 1 | 2
//   pair       ||d_a P| - |d_a T||^alpha                        neighbours along a spatial axis a
//   loss       lp_weight * mean over elements + gdl_weight * sum over axes of (mean over the axis's own pairs)
//   multiscale sum over scales of scale_weight * loss; the target of a coarser scale is an average of 2 x 2 blocks
//
// Bytes for N elements of b bytes: 2 N b read and N b written for each gradient wanted, in one pass
// (gdl_stencil.cuh). All scales of a multi-scale loss share one pass (gdl_scales.cuh). A second, tiny kernel adds the
// sums of the blocks.

#include <algorithm>
#include <vector>

#include "cuda/device.h"
#include "cuda/gdl_scales.cuh"
#include "cuda/gdl_stencil.cuh"
#include "operators/gdl.h"
#include "stable/cuda.h"

namespace ebgan::cuda::gdl {
namespace {

template <typename A>
constexpr Dtype dtype_of_sums = sizeof(A) == 8 ? Dtype::kFloat64 : Dtype::kFloat32;

Planes planes_at(const Source& images, const Extent& extent) {
  return {images, extent.volumes, extent.height, extent.width};
}

// Planes without data of the shape of the averages `levels` coarser than `planes`, in the dtype of sums.
template <typename A>
Planes coarser(const Planes& planes, int64_t levels) {
  return {{nullptr, dtype_of_sums<A>}, planes.count, planes.height >> levels, planes.width >> levels};
}

// Writes the averages of `planes` to `outputs`, finest first, null where not wanted, and the coarsest to `unrounded`,
// unless that is null. One launch makes kAverages levels; further launches go on from its coarsest.
template <typename A>
void run_averages(const CudaContext& cuda, Planes planes, const std::vector<void*>& outputs, A* unrounded) {
  Averages<A> averages;
  averages.dtype = planes.dtype;
  Tensor between = empty_vector(0, dtype_of_sums<A>, cuda.like());
  const int64_t levels = static_cast<int64_t>(outputs.size());
  for (int64_t done = 0; done < levels; done += averages.count) {
    averages.count = static_cast<int>(std::min<int64_t>(levels - done, kAverages));
    std::copy_n(outputs.begin() + done, averages.count, averages.level);
    const Planes coarsest = coarser<A>(planes, averages.count);
    averages.coarsest = unrounded;
    Tensor next = between;
    if (done + averages.count < levels) {
      next = empty_vector(coarsest.count * coarsest.height * coarsest.width, dtype_of_sums<A>, cuda.like());
      averages.coarsest = static_cast<A*>(next.mutable_data_ptr());
    }
    launch_averages(planes, averages, cuda.stream());
    between = next;
    planes = coarsest;
    planes.data = between.const_data_ptr();
  }
}

// The `count` scales of a launch, the finest of which is number `finest`, against the target at that scale.
template <typename A>
ScalesOfLaunch<A> scales_of_launch(const Scales& scales, int64_t finest, int64_t count,
                                   const Planes& target) {
  ScalesOfLaunch<A> of_launch;
  of_launch.target = target;
  of_launch.count = static_cast<int>(count);
  for (int k = 0; k < of_launch.count; ++k) {
    const Scale& scale = scales.scales[static_cast<size_t>(finest - k)];
    const Objective<A> objective(scale.extent.terms(scales.weights, true, scale.weight));
    of_launch.scale[k] = {scale.prediction, scale.gradient, objective};
  }
  return of_launch;
}

// Computes the loss of all scales, unless `loss` is null, and the gradients that are wanted. A launch takes kScales
// scales, the finest first; for coarser ones the target is averaged into memory before.
template <typename A>
void run_scales(const CudaContext& cuda, const Scales& scales, const Incoming& incoming, A* loss) {
  const int64_t count = static_cast<int64_t>(scales.scales.size());
  Planes target = planes_at(scales.target, scales.scales.back().extent);
  int64_t tiles = 0;
  for (int64_t done = 0; done < count; done += kScales) tiles += coarser<A>(target, done).tiles(kTile<A>);
  const Tensor workspace = empty_vector(loss && tiles > 1 ? tiles : 0, dtype_of_sums<A>, cuda.like());
  A* const first_sum = loss && tiles > 1 ? static_cast<A*>(workspace.mutable_data_ptr()) : loss;

  A* sums = first_sum;
  Tensor averaged = workspace;
  for (int64_t done = 0; done < count; done += kScales) {
    const int64_t of_launch = std::min<int64_t>(count - done, kScales);
    launch_scales(scales_of_launch<A>(scales, count - 1 - done, of_launch, target), incoming, sums,
                  cuda.stream());
    if (sums) sums += target.tiles(kTile<A>);
    if (done + kScales >= count) break;
    const Planes next = coarser<A>(target, kScales);
    const Tensor source = averaged;  // keeps the memory until its last reader is launched
    averaged = empty_vector(next.count * next.height * next.width, dtype_of_sums<A>, cuda.like());
    run_averages(cuda, target, std::vector<void*>(kScales, nullptr),
                 static_cast<A*>(averaged.mutable_data_ptr()));
    target = next;
    target.data = averaged.const_data_ptr();
  }
  if (loss == nullptr || tiles == 1) return;
  const Scale& finest = scales.scales.back();
  const Objective<A> objective(finest.extent.terms(scales.weights, true, finest.weight));
  launch_losses(first_sum, 1, tiles, objective, loss, cuda.stream());
}

struct CudaKernels {
  using Context = CudaContext;

  static void loss(const Context& cuda, const Prediction& prediction, const Incoming& incoming,
                   const Result& losses) {
    const Images& images = prediction.images;
    const Lattice lattice(prediction.extent);
    const int multiprocessors = device_limits(cuda.device()).multiprocessors;
    with_accumulation(images.prediction.dtype, [&]<typename A>() {
      const Objective<A> objective(prediction.terms);
      const Plan plan =
          plan_stencil<A>(images, lattice, math::exponent_of(prediction.terms.alpha), multiprocessors);
      const int64_t parts = plan.cut.blocks;
      A* const to = static_cast<A*>(losses.data);
      const Tensor workspace =
          empty_vector(to && parts > 1 ? lattice.samples * parts : 0, dtype_of_sums<A>, cuda.like());
      A* const sums = to && parts > 1 ? static_cast<A*>(workspace.mutable_data_ptr()) : to;
      launch_stencil(images, lattice, plan, objective, incoming, sums, multiprocessors, cuda.stream());
      if (to && parts != 1) launch_losses(sums, lattice.samples, parts, objective, to, cuda.stream());
    });
  }

  static void multiscale(const Context& cuda, const Scales& scales, const Incoming& incoming,
                         const Result& loss) {
    with_accumulation(scales.target.dtype, [&]<typename A>() {
      run_scales<A>(cuda, scales, incoming, static_cast<A*>(loss.data));
    });
  }

  static void averages(const Context& cuda, const Source& x, const Extent& finest,
                       const std::vector<Result>& averages) {
    std::vector<void*> outputs;
    for (auto average = averages.rbegin(); average != averages.rend(); ++average)
      outputs.push_back(average->data);
    with_accumulation(x.dtype,
                      [&]<typename A>() { run_averages<A>(cuda, planes_at(x, finest), outputs, nullptr); });
  }

  static void spread(const Context& cuda, const std::vector<Source>& gradients, const Extent& finest,
                     const Result& grad_x) {
    LevelGradients levels;
    for (auto gradient = gradients.rbegin(); gradient != gradients.rend(); ++gradient) {
      levels.level[levels.count++] = *gradient;
    }
    with_accumulation(grad_x.dtype, [&]<typename A>() {
      const Planes planes = planes_at({grad_x.data, grad_x.dtype}, finest);
      launch_averages_backward<A>(levels, planes, grad_x.data, cuda.stream());
    });
  }
};

}  // namespace
}  // namespace ebgan::cuda::gdl

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CUDA, library) {
  ebgan::gdl::implement<ebgan::cuda::gdl::CudaKernels>(library);
}
