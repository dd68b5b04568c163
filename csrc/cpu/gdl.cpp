// Gradient difference and prediction loss on the CPU. For N elements of the prediction:
//
//   prediction_loss             2N read, 1N written for each gradient
//   prediction_loss_backward_   the same; nothing where it is filled and the incoming gradient is 1
//
// Beside the results each thread takes memory for one tile (gdl_workspace.h).

#include <cmath>
#include <tuple>
#include <vector>

#include "cpu/gdl_volumes.h"

namespace ebgan {
namespace {

enum class Reduction : int64_t { kMean = 0, kSum = 1, kNone = 2 };

// The volumes that forward and backward pass over, and the shares of their terms.
struct Loss {
  bool by_sample;
  int64_t samples;
  int64_t elements;  // of a sample
  Extent extent;
  Terms terms;

  Loss(const Tensor& prediction, int64_t spatial_dims, const Weights& weights, int64_t reduction)
      : by_sample(static_cast<Reduction>(reduction) == Reduction::kNone),
        samples(by_sample ? prediction.size(0) : 1),
        elements(samples == 0 ? 0 : prediction.numel() / samples),
        extent(extent_of(prediction, spatial_dims, elements)),
        terms(terms_of(weights, extent, elements, static_cast<Reduction>(reduction) != Reduction::kSum)) {}

  // Returns the losses of the tiles of all samples, in order; scale(sample) multiplies loss and gradients.
  template <typename Scale>
  std::vector<double> pass(const Tensor& prediction, const Tensor& target, const Tensor& grad_prediction,
                           const Tensor& grad_target, const Scale& scale) const {
    const Volumes volumes(extent, samples * elements, image_of(prediction, grad_prediction),
                          image_of(target, grad_target));
    return losses_of_tiles(terms, volumes,
                           [&](int64_t volume) { return scale(volume * samples / volumes.count); });
  }
};

std::tuple<Tensor, Tensor, Tensor> prediction_loss(const Tensor& prediction, const Tensor& target,
                                                   int64_t spatial_dims, int64_t p, double alpha,
                                                   double lp_weight, double gdl_weight, int64_t reduction,
                                                   bool need_prediction, bool need_target) {
  const Loss loss(prediction, spatial_dims, {p, alpha, lp_weight, gdl_weight}, reduction);
  Tensor grad_prediction = empty_gradient(prediction, need_prediction && !loss.by_sample);
  Tensor grad_target = empty_gradient(target, need_target && !loss.by_sample);
  const std::vector<double> losses =
      loss.pass(prediction, target, grad_prediction, grad_target, [](int64_t) { return 1.0; });
  const int64_t count = static_cast<int64_t>(losses.size());
  if (!loss.by_sample) {
    // Without elements the mean is NaN, an infinite share of nothing, and the sum is 0.
    const double value = count == 0 ? 0 * loss.terms.element_share + 0 * loss.terms.axis_shares[0]
                                    : sum_of(losses.data(), count);
    return {scalar_tensor(value, prediction), grad_prediction, grad_target};
  }
  std::vector<double> sample_losses(static_cast<size_t>(loss.samples));
  for (int64_t i = 0; i < loss.samples; ++i) {
    const int64_t tiles = count / loss.samples;
    sample_losses[i] = tiles == 0 ? NAN : sum_of(losses.data() + i * tiles, tiles);
  }
  return {vector_tensor(sample_losses, prediction), grad_prediction, grad_target};
}

void prediction_loss_backward(const Tensor& grad_prediction, const Tensor& grad_target,
                              const Tensor& grad_loss, const Tensor& prediction, const Tensor& target,
                              int64_t spatial_dims, int64_t p, double alpha, double lp_weight,
                              double gdl_weight, int64_t reduction, bool filled) {
  if (filled && scalar(grad_loss) == 1) return;
  const Loss loss(prediction, spatial_dims, {p, alpha, lp_weight, gdl_weight}, reduction);
  const void* scales = grad_loss.const_data_ptr();
  const Dtype dtype = dtype_of(grad_loss);
  const int64_t stride = loss.by_sample ? grad_loss.stride(0) : 0;
  loss.pass(prediction, target, grad_prediction, grad_target,
            [&](int64_t sample) { return read_value(scales, dtype, sample * stride); });
}

}  // namespace
}  // namespace ebgan

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CPU, library) {
  library.impl("prediction_loss", TORCH_BOX(&ebgan::prediction_loss));
  library.impl("prediction_loss_backward_", TORCH_BOX(&ebgan::prediction_loss_backward));
}
