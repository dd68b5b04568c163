// Gradient difference and prediction loss on the CPU.
//
//   prediction_loss             2N read, 1N written for each gradient             N: elements of the prediction
//   prediction_loss_backward_   the same; nothing where it is filled and the incoming gradient is 1
//
// Memory beyond results: what a thread needs for a band (gdl_workspace.h).

#include <cmath>
#include <tuple>
#include <vector>

#include "cpu/gdl_volumes.h"

namespace ebgan {
namespace {

enum class Reduction : int64_t { kMean = 0, kSum = 1, kNone = 2 };

std::tuple<Tensor, Tensor, Tensor> prediction_loss(const Tensor& prediction, const Tensor& target,
                                                   int64_t spatial_dims, int64_t p, double alpha,
                                                   double lp_weight, double gdl_weight, int64_t reduction,
                                                   bool need_prediction, bool need_target) {
  const bool by_sample = static_cast<Reduction>(reduction) == Reduction::kNone;
  Tensor grad_prediction = empty_gradient(prediction, need_prediction && !by_sample);
  Tensor grad_target = empty_gradient(target, need_target && !by_sample);
  const Extent extent = extent_of(prediction, spatial_dims);
  const int64_t elements = prediction.numel();
  const int64_t samples = by_sample ? prediction.size(0) : 1;
  const Terms terms =
      terms_of({p, alpha, lp_weight, gdl_weight}, extent, samples == 0 ? 0 : elements / samples,
               static_cast<Reduction>(reduction) != Reduction::kSum);
  const Volumes volumes(extent, elements, image_of(prediction, grad_prediction),
                        image_of(target, grad_target));
  const std::vector<double> losses = losses_of_bands(terms, volumes, [](int64_t) { return 1.0; });
  const int64_t count = static_cast<int64_t>(losses.size());
  if (!by_sample) {
    // Of no elements: the mean is NaN, an infinite share of nothing; the sum is 0.
    const double loss =
        count == 0 ? 0 * terms.element_share + 0 * terms.axis_shares[0] : sum_of(losses.data(), count);
    return {scalar_tensor(loss, prediction), grad_prediction, grad_target};
  }
  std::vector<double> sample_losses(static_cast<size_t>(samples));
  for (int64_t i = 0; i < samples; ++i) {
    const int64_t bands = count / samples;
    sample_losses[i] = bands == 0 ? NAN : sum_of(losses.data() + i * bands, bands);
  }
  return {vector_tensor(sample_losses, prediction), grad_prediction, grad_target};
}

void prediction_loss_backward(const Tensor& grad_prediction, const Tensor& grad_target,
                              const Tensor& grad_loss, const Tensor& prediction, const Tensor& target,
                              int64_t spatial_dims, int64_t p, double alpha, double lp_weight,
                              double gdl_weight, int64_t reduction, bool filled) {
  const bool by_sample = static_cast<Reduction>(reduction) == Reduction::kNone;
  if (filled && scalar(grad_loss) == 1) return;
  const Extent extent = extent_of(prediction, spatial_dims);
  const int64_t elements = prediction.numel();
  if (elements == 0) return;
  const int64_t samples = by_sample ? prediction.size(0) : 1;
  const Terms terms = terms_of({p, alpha, lp_weight, gdl_weight}, extent, elements / samples,
                               static_cast<Reduction>(reduction) != Reduction::kSum);
  const Volumes volumes(extent, elements, image_of(prediction, grad_prediction),
                        image_of(target, grad_target));
  const void* scales = grad_loss.const_data_ptr();
  const Dtype dtype = dtype_of(grad_loss);
  const int64_t stride = by_sample ? grad_loss.stride(0) : 0;
  losses_of_bands(terms, volumes, [&](int64_t volume) {
    return read_value(scales, dtype, volume * samples / volumes.count * stride);
  });
}

}  // namespace
}  // namespace ebgan

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CPU, library) {
  library.impl("prediction_loss", TORCH_BOX(&ebgan::prediction_loss));
  library.impl("prediction_loss_backward_", TORCH_BOX(&ebgan::prediction_loss_backward));
}
