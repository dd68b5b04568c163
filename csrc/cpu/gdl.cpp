// Gradient difference, prediction losses and the average pyramid on the CPU. For N elements of the prediction, or of the
// finest level:
//
//   prediction_loss                          2N read, 1N written for each gradient
//   multiscale_prediction_loss               predictions and target read once, 1 written for each gradient
//   both, _backward_                         the same; nothing where it is filled and the incoming gradient is 1
//   average_pyramid, _backward               N read, N/4 + N/16 + ... written; the backward pass the reverse
//
// Beside the results each thread takes memory for one tile (gdl_workspace.h), or for one group of planes at all scales
// (gdl_scales.h).

#include <algorithm>
#include <vector>

#include "cpu/context.h"
#include "cpu/gdl_scales.h"
#include "cpu/gdl_volumes.h"

namespace ebgan::gdl {
namespace {

struct CpuKernels {
  using Context = CpuContext;

  static void loss(const Context&, const Prediction& prediction, const Incoming& incoming,
                   const Result& losses) {
    if (is_done(incoming, 0)) return;
    const Extent& extent = prediction.extent;
    const Images& images = prediction.images;
    const Volumes volumes(
        volume_of(extent, std::max<int64_t>(1, extent.volumes)), extent.samples * extent.sample_elements(),
        image_of(images.prediction, images.grad_prediction), image_of(images.target, images.grad_target));
    const auto scale = [&](int64_t volume) {
      return incoming_at(incoming, volume * extent.samples / volumes.count);
    };
    const std::vector<double> of_tiles = losses_of_tiles(prediction.terms, volumes, scale);
    if (losses.data == nullptr) return;
    const int64_t count = static_cast<int64_t>(of_tiles.size());
    for (int64_t i = 0; i < extent.samples; ++i) {
      const int64_t tiles = count / extent.samples;
      const double value =
          tiles == 0 ? prediction.terms.of_nothing() : sum_of(of_tiles.data() + i * tiles, tiles);
      write_value(losses.data, losses.dtype, i, value);
    }
  }

  static void multiscale(const Context&, const Scales& scales, const Incoming& incoming, const Result& loss) {
    const double scale = incoming_at(incoming, 0);
    if (incoming.filled && scale == 1) return;
    const double value = loss_of_scales(scales, scale);
    if (loss.data) write_value(loss.data, loss.dtype, 0, value);
  }

  static void averages(const Context&, const Source& x, const Extent& finest,
                       const std::vector<Result>& averages) {
    (x.dtype == Dtype::kFloat64 ? average_planes<double> : average_planes<float>)(x, finest, averages);
  }

  static void spread(const Context&, const std::vector<Source>& gradients, const Extent& finest,
                     const Result& grad_x) {
    (grad_x.dtype == Dtype::kFloat64 ? spread_planes<double> : spread_planes<float>)(gradients, finest,
                                                                                     grad_x);
  }
};

}  // namespace
}  // namespace ebgan::gdl

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CPU, library) {
  ebgan::gdl::implement<ebgan::gdl::CpuKernels>(library);
}
