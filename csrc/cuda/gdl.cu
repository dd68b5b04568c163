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

#include <tuple>
#include <vector>

#include "cuda/device.h"
#include "cuda/gdl_scales.cuh"
#include "cuda/gdl_stencil.cuh"
#include "stable/cuda.h"
#include "stable/tensor.h"

namespace ebgan::cuda::gdl {
namespace {

// The integers are those of ebgan_kernels/native/gdl.py.
enum class Reduction : int { kMean = 0, kSum = 1, kNone = 2 };

// The options of a loss in the operators' schemas.
struct Options {
  int64_t p;
  double alpha;
  double lp_weight;
  double gdl_weight;
};

template <typename A>
constexpr Dtype dtype_of_sums = sizeof(A) == 8 ? Dtype::kFloat64 : Dtype::kFloat32;

// A buffer of no elements stands for a gradient that is not wanted.
void* gradient_buffer(const Tensor& gradient) {
  return gradient.numel() == 0 ? nullptr : gradient.mutable_data_ptr();
}

template <typename A>
Incoming<A> incoming_of(const Tensor& grad_loss, int64_t stride, bool filled) {
  return {static_cast<const A*>(grad_loss.const_data_ptr()), stride, filled};
}

Extent extent_of(const Tensor& tensor, int64_t spatial_dims, Reduction reduction) {
  const auto sizes = tensor.sizes();
  const int64_t leading = static_cast<int64_t>(sizes.size()) - spatial_dims;
  Extent extent = {1, 1, sizes[leading], spatial_dims == 3 ? sizes[leading + 1] : 1,
                   sizes[leading + spatial_dims - 1]};
  for (int64_t i = 0; i < leading; ++i) {
    (i == 0 && reduction == Reduction::kNone ? extent.samples : extent.planes) *= sizes[i];
  }
  return extent;
}

Images images_of(const Tensor& prediction, const Tensor& target, const Tensor& grad_prediction,
                 const Tensor& grad_target) {
  return {
      prediction.const_data_ptr(),      target.const_data_ptr(),     dtype_of(prediction), dtype_of(target),
      gradient_buffer(grad_prediction), gradient_buffer(grad_target)};
}

Planes planes_of(const Tensor& tensor) {
  const Extent extent = extent_of(tensor, 2, Reduction::kMean);
  return {tensor.const_data_ptr(), dtype_of(tensor), extent.planes, extent.length, extent.width};
}

// Planes without data of the shape of the averages `levels` coarser than `planes`, in the dtype of sums.
template <typename A>
Planes coarser(const Planes& planes, int64_t levels) {
  return {nullptr, dtype_of_sums<A>, planes.count, planes.height >> levels, planes.width >> levels};
}

// An uninitialised contiguous tensor of x's dtype and leading axes.
Tensor empty_planes(const Tensor& x, int64_t height, int64_t width) {
  std::vector<int64_t> sizes(x.sizes().begin(), x.sizes().end() - 2);
  sizes.insert(sizes.end(), {height, width});
  std::vector<int64_t> strides(sizes.size());
  int64_t stride = 1;
  for (size_t i = sizes.size(); i-- > 0; stride *= sizes[i]) strides[i] = stride;
  return empty_strided(sizes, strides, dtype_of(x), x);
}

template <typename A>
Objective<A> objective_of(const Options& options, const Extent& extent, Reduction reduction, double weight) {
  const bool sum = reduction == Reduction::kSum;
  const int64_t elements = extent.sample_elements();
  const auto along = [&](int64_t size) {
    const double gdl_weight = weight * options.gdl_weight;
    return static_cast<A>(sum ? gdl_weight : math::axis_share(gdl_weight, elements, size));
  };
  Objective<A> objective;
  objective.has_elements = options.lp_weight != 0;
  objective.has_pairs = options.gdl_weight != 0;
  objective.p = static_cast<int>(options.p);
  objective.alpha = static_cast<A>(options.alpha);
  if (objective.has_elements) {
    const double lp_weight = weight * options.lp_weight;
    objective.element_share = static_cast<A>(sum ? lp_weight : math::element_share(lp_weight, elements));
  }
  if (objective.has_pairs) {
    objective.axis_share[0] = along(extent.length);
    objective.axis_share[1] = extent.rows > 1 ? along(extent.rows) : A(0);
    objective.axis_share[2] = along(extent.width);
  }
  return objective;
}

// Computes losses and gradients of a prediction. Without `losses` there are no sums; `incoming` scales the gradients.
template <typename A>
void run_stencil(const CudaContext& cuda, const Images& images, const Tensor& target, int64_t spatial_dims,
                 const Options& options, Reduction reduction, const Incoming<A>& incoming, A* losses) {
  const Extent extent = extent_of(target, spatial_dims, reduction);
  const auto objective = objective_of<A>(options, extent, reduction, 1);
  const int multiprocessors = device_limits(cuda.device()).multiprocessors;
  const Plan plan = plan_stencil<A>(images, extent, math::exponent_of(options.alpha), multiprocessors);
  const int64_t parts = plan.cut.blocks;
  const Tensor workspace =
      empty_vector(losses && parts > 1 ? extent.samples * parts : 0, dtype_of_sums<A>, target);
  A* const sums = losses && parts > 1 ? static_cast<A*>(workspace.mutable_data_ptr()) : losses;
  launch_stencil(images, extent, static_cast<int>(spatial_dims), plan, objective, incoming, sums,
                 multiprocessors, cuda.stream());
  if (losses && parts != 1) launch_losses(sums, extent.samples, parts, objective, losses, cuda.stream());
}

// Writes the averages of `planes` to `outputs`, finest first, null where not wanted, and the coarsest to `unrounded`,
// unless that is null. One launch makes kAverages levels; further launches go on from its coarsest.
template <typename A>
void run_averages(const CudaContext& cuda, Planes planes, const std::vector<void*>& outputs, A* unrounded,
                  const Tensor& device_of) {
  Averages<A> averages;
  averages.dtype = planes.dtype;
  Tensor between = empty_vector(0, dtype_of_sums<A>, device_of);
  const int64_t levels = static_cast<int64_t>(outputs.size());
  for (int64_t done = 0; done < levels; done += averages.count) {
    averages.count = static_cast<int>(std::min<int64_t>(levels - done, kAverages));
    std::copy_n(outputs.begin() + done, averages.count, averages.level);
    const Planes coarsest = coarser<A>(planes, averages.count);
    averages.coarsest = unrounded;
    Tensor next = between;
    if (done + averages.count < levels) {
      next = empty_vector(coarsest.count * coarsest.height * coarsest.width, dtype_of_sums<A>, device_of);
      averages.coarsest = static_cast<A*>(next.mutable_data_ptr());
    }
    launch_averages(planes, averages, cuda.stream());
    between = next;
    planes = coarsest;
    planes.data = between.const_data_ptr();
  }
}

// Computes the losses of all scales, coarse to fine, and gradients where `gradients` has any. A launch takes kScales
// scales; for coarser ones the target is averaged into memory first.
template <typename A>
void run_scales(const CudaContext& cuda, const std::vector<Tensor>& predictions, const Tensor& target,
                const Options& options, const std::vector<double>& scale_weights,
                const std::vector<Tensor>& gradients, const Incoming<A>& incoming, A* loss) {
  const int64_t count = static_cast<int64_t>(predictions.size());
  Planes planes = planes_of(target);
  int64_t tiles = 0;
  for (int64_t done = 0; done < count; done += kScales) {
    tiles += coarser<A>(planes, static_cast<int>(done)).tiles(kTile<A>);
  }
  const Tensor workspace = empty_vector(loss && tiles > 1 ? tiles : 0, dtype_of_sums<A>, target);
  A* const first_sum = loss && tiles > 1 ? static_cast<A*>(workspace.mutable_data_ptr()) : loss;

  A* sums = first_sum;
  Scales<A> scales;
  Tensor averaged = workspace;
  for (int64_t done = 0; done < count; done += kScales) {
    scales.target = planes;
    scales.count = static_cast<int>(std::min<int64_t>(count - done, kScales));
    for (int k = 0; k < scales.count; ++k) {
      const size_t i = static_cast<size_t>(count - 1 - done - k);
      const Extent extent = extent_of(predictions[i], 2, Reduction::kMean);
      scales.scale[k] = {predictions[i].const_data_ptr(), dtype_of(predictions[i]),
                         gradients.empty() ? nullptr : gradients[i].mutable_data_ptr(),
                         objective_of<A>(options, extent, Reduction::kMean, scale_weights[i])};
    }
    launch_scales(scales, incoming, sums, cuda.stream());
    if (sums) sums += planes.tiles(kTile<A>);
    if (done + kScales >= count) break;
    const Planes next = coarser<A>(planes, kScales);
    const Tensor source = averaged;  // keeps the memory until its last reader is launched
    averaged = empty_vector(next.count * next.height * next.width, dtype_of_sums<A>, target);
    run_averages(cuda, planes, std::vector<void*>(kScales, nullptr),
                 static_cast<A*>(averaged.mutable_data_ptr()), target);
    planes = next;
    planes.data = averaged.const_data_ptr();
  }
  if (loss && tiles != 1) launch_losses(first_sum, 1, tiles, scales.scale[0].objective, loss, cuda.stream());
}

// --- operators: schemas in ebgan_kernels/native/gdl.py -------------------------------------------

std::tuple<Tensor, Tensor, Tensor> prediction_loss(const Tensor& prediction, const Tensor& target,
                                                   int64_t spatial_dims, int64_t p, double alpha,
                                                   double lp_weight, double gdl_weight, int64_t reduction,
                                                   bool need_prediction, bool need_target) {
  const CudaContext cuda(target);
  const Dtype dtype = accumulation_dtype(dtype_of(target));
  const bool scalar = static_cast<Reduction>(reduction) != Reduction::kNone;
  const Tensor loss = scalar ? empty_scalar(dtype, target) : empty_vector(target.size(0), dtype, target);
  const Tensor grad_prediction = empty_gradient(prediction, scalar && need_prediction);
  const Tensor grad_target = empty_gradient(target, scalar && need_target);
  with_accumulation(dtype, [&]<typename A>() {
    run_stencil<A>(cuda, images_of(prediction, target, grad_prediction, grad_target), target, spatial_dims,
                   {p, alpha, lp_weight, gdl_weight}, static_cast<Reduction>(reduction), {},
                   static_cast<A*>(loss.mutable_data_ptr()));
  });
  return {loss, grad_prediction, grad_target};
}

void prediction_loss_backward(const Tensor& grad_prediction, const Tensor& grad_target,
                              const Tensor& grad_loss, const Tensor& prediction, const Tensor& target,
                              int64_t spatial_dims, int64_t p, double alpha, double lp_weight,
                              double gdl_weight, int64_t reduction, bool filled) {
  const CudaContext cuda(target);
  const bool scalar = static_cast<Reduction>(reduction) != Reduction::kNone;
  with_accumulation(dtype_of(grad_loss), [&]<typename A>() {
    const Incoming<A> incoming = incoming_of<A>(grad_loss, scalar ? 0 : grad_loss.stride(0), filled);
    run_stencil<A>(cuda, images_of(prediction, target, grad_prediction, grad_target), target, spatial_dims,
                   {p, alpha, lp_weight, gdl_weight}, static_cast<Reduction>(reduction), incoming, nullptr);
  });
}

std::tuple<Tensor, std::vector<Tensor>> multiscale_prediction_loss(
    const std::vector<Tensor>& predictions, const Tensor& target, int64_t p, double alpha, double lp_weight,
    double gdl_weight, const std::vector<double>& scale_weights, bool need_predictions) {
  const CudaContext cuda(target);
  const Dtype dtype = accumulation_dtype(dtype_of(target));
  const Tensor loss = empty_scalar(dtype, target);
  std::vector<Tensor> gradients;
  if (need_predictions) {
    for (const Tensor& prediction : predictions) gradients.push_back(empty_gradient(prediction, true));
  }
  with_accumulation(dtype, [&]<typename A>() {
    run_scales<A>(cuda, predictions, target, {p, alpha, lp_weight, gdl_weight}, scale_weights, gradients, {},
                  static_cast<A*>(loss.mutable_data_ptr()));
  });
  return {loss, gradients};
}

void multiscale_prediction_loss_backward(const std::vector<Tensor>& gradients, const Tensor& grad_loss,
                                         const std::vector<Tensor>& predictions, const Tensor& target,
                                         int64_t p, double alpha, double lp_weight, double gdl_weight,
                                         const std::vector<double>& scale_weights, bool filled) {
  const CudaContext cuda(target);
  with_accumulation(dtype_of(grad_loss), [&]<typename A>() {
    run_scales<A>(cuda, predictions, target, {p, alpha, lp_weight, gdl_weight}, scale_weights, gradients,
                  incoming_of<A>(grad_loss, 0, filled), nullptr);
  });
}

std::vector<Tensor> average_pyramid(const Tensor& x, int64_t levels) {
  const CudaContext cuda(x);
  const Planes planes = planes_of(x);
  std::vector<Tensor> results;
  std::vector<void*> outputs;
  for (int64_t k = levels - 1; k > 0; --k) {
    results.push_back(empty_planes(x, planes.height >> k, planes.width >> k));
    outputs.insert(outputs.begin(), results.back().mutable_data_ptr());
  }
  with_accumulation(planes.dtype, [&]<typename A>() { run_averages<A>(cuda, planes, outputs, nullptr, x); });
  return results;
}

Tensor average_pyramid_backward(const std::vector<Tensor>& gradients) {
  const Tensor& finest = gradients.back();
  const CudaContext cuda(finest);
  const Planes averages = planes_of(finest);
  const Tensor result = empty_planes(finest, 2 * averages.height, 2 * averages.width);
  LevelGradients levels = {};
  for (auto gradient = gradients.rbegin(); gradient != gradients.rend(); ++gradient, ++levels.count) {
    levels.level[levels.count] = gradient->const_data_ptr();
    levels.dtype[levels.count] = dtype_of(*gradient);
  }
  with_accumulation(averages.dtype, [&]<typename A>() {
    launch_averages_backward<A>(levels, planes_of(result), result.mutable_data_ptr(), cuda.stream());
  });
  return result;
}

}  // namespace
}  // namespace ebgan::cuda::gdl

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CUDA, library) {
  library.impl("prediction_loss", TORCH_BOX(&ebgan::cuda::gdl::prediction_loss));
  library.impl("prediction_loss_backward_", TORCH_BOX(&ebgan::cuda::gdl::prediction_loss_backward));
  library.impl("multiscale_prediction_loss", TORCH_BOX(&ebgan::cuda::gdl::multiscale_prediction_loss));
  library.impl("multiscale_prediction_loss_backward_",
               TORCH_BOX(&ebgan::cuda::gdl::multiscale_prediction_loss_backward));
  library.impl("average_pyramid", TORCH_BOX(&ebgan::cuda::gdl::average_pyramid));
  library.impl("average_pyramid_backward", TORCH_BOX(&ebgan::cuda::gdl::average_pyramid_backward));
}
