// The operators of the gradient-difference family for either device: what they are given, what they allocate and return.
// A device's Kernels compute. Schemas and layouts: ebgan_kernels/native/gdl.py; formulas: math/gdl.h.
//
//   loss               the loss of each sample, where `losses` has memory, and the gradients that are wanted
//   multiscale         the same for all scales of one loss
//   averages           the levels of a pyramid below the finest
//   spread             the gradient of the finest level from those of the others

#pragma once

#include <tuple>
#include <utility>
#include <vector>

#include "math/gdl.h"
#include "stable/tensor.h"

namespace ebgan::gdl {

using math::Terms;
using math::Weights;

// The integers are those of ebgan_kernels/native/gdl.py.
enum class Reduction : int64_t { kMean = 0, kSum = 1, kNone = 2 };

// Contiguous images: samples, each with a loss of its own, of `volumes` volumes, or planes where the depth is 1.
struct Extent {
  int64_t samples = 1;
  int64_t volumes = 1;
  int64_t depth = 1;
  int64_t height = 1;
  int64_t width = 1;

  int64_t plane() const { return height * width; }
  int64_t sample_elements() const { return volumes * depth * plane(); }

  Terms terms(const Weights& weights, bool mean, double scale) const {
    return math::terms_of(weights, {width, height, depth}, sample_elements(), mean, scale);
  }
};

struct Images {
  Source prediction;
  Source target;
  Result grad_prediction;
  Result grad_target;

  bool wants_gradient() const { return grad_prediction.data || grad_target.data; }
};

struct Prediction {
  Images images;
  Extent extent;
  Terms terms;
};

// One scale of a multi-scale loss; the planes of a sample are all that there are.
struct Scale {
  Source prediction;
  Result gradient;
  Extent extent;
  double weight;
};

// The scales of a loss, coarse to fine, and the target of the finest.
struct Scales {
  std::vector<Scale> scales;
  Source target;
  Weights weights;
};

// With kNone the first axis is that of the samples; else all leading axes are volumes of one sample.
inline Extent extent_of(const Tensor& tensor, int64_t spatial_dims, Reduction reduction) {
  const int64_t leading = tensor.dim() - spatial_dims;
  Extent extent;
  for (int64_t i = 0; i < leading; ++i) {
    (i == 0 && reduction == Reduction::kNone ? extent.samples : extent.volumes) *= tensor.size(i);
  }
  if (spatial_dims == 3) extent.depth = tensor.size(-3);
  extent.height = tensor.size(-2);
  extent.width = tensor.size(-1);
  return extent;
}

inline Extent planes_of(const Tensor& tensor) { return extent_of(tensor, 2, Reduction::kMean); }

inline Prediction prediction_of(const Tensor& images, const Tensor& target,
                                const std::vector<Result>& gradients, int64_t spatial_dims,
                                const Weights& weights, Reduction reduction) {
  Prediction prediction;
  prediction.images.prediction = source_of(images);
  prediction.images.target = source_of(target);
  prediction.images.grad_prediction = gradients[0];
  prediction.images.grad_target = gradients[1];
  prediction.extent = extent_of(images, spatial_dims, reduction);
  prediction.terms = prediction.extent.terms(weights, reduction != Reduction::kSum, 1);
  return prediction;
}

inline Scales scales_of(const std::vector<Tensor>& predictions, const std::vector<Result>& gradients,
                        const Tensor& target, const Weights& weights,
                        const std::vector<double>& scale_weights) {
  Scales scales = {{}, source_of(target), weights};
  for (size_t k = 0; k < predictions.size(); ++k) {
    scales.scales.push_back(
        {source_of(predictions[k]), gradients[k], planes_of(predictions[k]), scale_weights[k]});
  }
  return scales;
}

// An uninitialised contiguous tensor of the dtype and leading axes of `like`.
inline Tensor empty_planes(const Tensor& like, int64_t height, int64_t width) {
  std::vector<int64_t> sizes(like.sizes().begin(), like.sizes().end() - 2);
  sizes.insert(sizes.end(), {height, width});
  return empty_contiguous(sizes, dtype_of(like), like);
}

// --- operators -----------------------------------------------------------------------------------

// Returns the loss, or with kNone that of each sample and no gradients.
template <typename Kernels>
std::tuple<Tensor, std::vector<Tensor>> prediction_loss(const Tensor& prediction, const Tensor& target,
                                                        int64_t spatial_dims, int64_t p, double alpha,
                                                        double lp_weight, double gdl_weight,
                                                        int64_t reduction, int64_t needed) {
  const typename Kernels::Context context(prediction);
  const Dtype dtype = accumulation_dtype(dtype_of(prediction));
  const bool each = static_cast<Reduction>(reduction) == Reduction::kNone;
  const int64_t computed = each ? 0 : needed;
  Tensor loss = each ? empty_vector(prediction.size(0), dtype, prediction) : empty_scalar(dtype, prediction);
  std::vector<Tensor> gradients = empty_gradients({prediction, target}, computed, empty_samples);
  Kernels::loss(context,
                prediction_of(prediction, target, results_of(context, gradients, 2, computed), spatial_dims,
                              {p, alpha, lp_weight, gdl_weight}, static_cast<Reduction>(reduction)),
                Incoming{}, result_of(context, loss));
  return {std::move(loss), std::move(gradients)};
}

template <typename Kernels>
void prediction_loss_backward(const std::vector<Tensor>& gradients, const Tensor& grad_loss,
                              const Tensor& prediction, const Tensor& target, int64_t spatial_dims, int64_t p,
                              double alpha, double lp_weight, double gdl_weight, int64_t reduction,
                              int64_t needed, bool filled) {
  const typename Kernels::Context context(prediction);
  const bool each = static_cast<Reduction>(reduction) == Reduction::kNone;
  Kernels::loss(context,
                prediction_of(prediction, target, results_of(context, gradients, 2, needed), spatial_dims,
                              {p, alpha, lp_weight, gdl_weight}, static_cast<Reduction>(reduction)),
                incoming_of(grad_loss, each, filled), Result{});
}

template <typename Kernels>
std::tuple<Tensor, std::vector<Tensor>> multiscale_prediction_loss(
    const std::vector<Tensor>& predictions, const Tensor& target, int64_t p, double alpha, double lp_weight,
    double gdl_weight, const std::vector<double>& scale_weights, int64_t needed) {
  const typename Kernels::Context context(target);
  Tensor loss = empty_scalar(accumulation_dtype(dtype_of(target)), target);
  std::vector<Tensor> gradients = empty_gradients(predictions, needed, empty_samples);
  Kernels::multiscale(context,
                      scales_of(predictions, results_of(context, gradients, predictions.size(), needed),
                                target, {p, alpha, lp_weight, gdl_weight}, scale_weights),
                      Incoming{}, result_of(context, loss));
  return {std::move(loss), std::move(gradients)};
}

template <typename Kernels>
void multiscale_prediction_loss_backward(const std::vector<Tensor>& gradients, const Tensor& grad_loss,
                                         const std::vector<Tensor>& predictions, const Tensor& target,
                                         int64_t p, double alpha, double lp_weight, double gdl_weight,
                                         const std::vector<double>& scale_weights, int64_t needed,
                                         bool filled) {
  const typename Kernels::Context context(target);
  Kernels::multiscale(context,
                      scales_of(predictions, results_of(context, gradients, predictions.size(), needed),
                                target, {p, alpha, lp_weight, gdl_weight}, scale_weights),
                      incoming_of(grad_loss, false, filled), Result{});
}

// Returns the averages, coarsest first.
template <typename Kernels>
std::vector<Tensor> average_pyramid(const Tensor& x, int64_t levels) {
  const typename Kernels::Context context(x);
  const Extent finest = planes_of(x);
  std::vector<Tensor> averages;
  std::vector<Result> results;
  for (int64_t k = levels - 1; k > 0; --k) {
    averages.push_back(empty_planes(x, finest.height >> k, finest.width >> k));
    results.push_back(result_of(context, averages.back()));
  }
  Kernels::averages(context, source_of(x), finest, results);
  return averages;
}

// Takes the gradients of the averages, coarsest first.
template <typename Kernels>
Tensor average_pyramid_backward(const std::vector<Tensor>& gradients) {
  const Tensor& last = gradients.back();
  const typename Kernels::Context context(last);
  Tensor grad_x = empty_planes(last, 2 * last.size(-2), 2 * last.size(-1));
  std::vector<Source> sources;
  for (const Tensor& gradient : gradients) sources.push_back(source_of(gradient));
  Kernels::spread(context, sources, planes_of(grad_x), result_of(context, grad_x));
  return grad_x;
}

template <typename Kernels, typename Library>
void implement(Library& library) {
  library.impl("prediction_loss", TORCH_BOX(&prediction_loss<Kernels>));
  library.impl("prediction_loss_backward_", TORCH_BOX(&prediction_loss_backward<Kernels>));
  library.impl("multiscale_prediction_loss", TORCH_BOX(&multiscale_prediction_loss<Kernels>));
  library.impl("multiscale_prediction_loss_backward_",
               TORCH_BOX(&multiscale_prediction_loss_backward<Kernels>));
  library.impl("average_pyramid", TORCH_BOX(&average_pyramid<Kernels>));
  library.impl("average_pyramid_backward", TORCH_BOX(&average_pyramid_backward<Kernels>));
}

}  // namespace ebgan::gdl
