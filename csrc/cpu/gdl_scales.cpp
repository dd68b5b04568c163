// The multi-scale prediction loss and the average pyramid on the CPU.
//
//   multiscale_prediction_loss, _backward_   predictions and target read once, 1 written for each gradient
//   average_pyramid, _backward               N read, N/4 + N/16 + ... written; and the reverse
//
// A thread takes whole planes. Of a plane's target the averages live in memory of the thread's own: a third of a
// plane (half types: with the plane itself in float32).

#include <tuple>
#include <vector>

#include "cpu/gdl_volumes.h"

namespace ebgan {
namespace {

// One scale of the multi-scale loss, with the scale's weight in its terms.
struct Scale {
  Terms terms;
  Extent extent;
  Image prediction;
};

std::vector<Scale> scales_of(const Weights& weights, const std::vector<Tensor>& predictions,
                             const std::vector<Tensor>& gradients, const std::vector<double>& scale_weights,
                             double grad_loss) {
  std::vector<Scale> scales;
  for (size_t k = 0; k < predictions.size(); ++k) {
    const Tensor& prediction = predictions[k];
    const Extent extent = extent_of(prediction, 2);
    scales.push_back({terms_of(weights, extent, prediction.numel(), true, grad_loss * scale_weights[k]),
                      extent, gradients.empty() ? image_of(prediction) : image_of(prediction, gradients[k])});
  }
  return scales;
}

// The planes [begin, end) of every scale; a plane's target is averaged down in memory of the thread's own.
template <typename T>
void pass_planes(const std::vector<Scale>& scales, const Image& target, bool streamed, int64_t planes,
                 int64_t begin, int64_t end, double* losses) {
  const Dtype dtype = sizeof(T) == sizeof(double) ? Dtype::kFloat64 : Dtype::kFloat32;
  const auto volume_of = [&](size_t k, int64_t plane, const void* averages) -> Volume {
    return {scales[k].extent,
            part_of(scales[k].prediction, plane * scales[k].extent.slice()),
            {averages, dtype, nullptr},
            plane + 1 == planes,
            streamed};
  };
  const size_t finest = scales.size() - 1;
  std::vector<Workspace<T>> workspaces;
  std::vector<Buffer<T>> averages;
  for (size_t k = 0; k <= finest; ++k) {
    workspaces.emplace_back(volume_of(k, 0, nullptr));
    averages.emplace_back(scales[k].extent.slice() + kPad);
  }
  for (int64_t plane = begin; plane < end; ++plane) {
    const int64_t elements = scales[finest].extent.slice();
    const void* from = offset(target.data, target.dtype, plane * elements);
    const T* level = static_cast<const T*>(from);
    if constexpr (sizeof(T) == sizeof(float)) {
      if (target.dtype != dtype) {
        gdl_kernels().widen(target.dtype, from, elements, averages[finest].get());
        level = averages[finest].get();
      }
    }
    double loss = 0;
    for (size_t k = finest;; --k) {
      const Volume volume = volume_of(k, plane, level);
      loss += loss_of_volume(scales[k].terms, volume, workspaces[k]);
      if (k == 0) break;
      const Extent& coarse = scales[k - 1].extent;
      gdl_loops<T>().average(level, coarse.height, coarse.width, averages[k - 1].get());
      level = averages[k - 1].get();
    }
    losses[plane] = loss;
  }
  if (streamed) gdl_kernels().finish();
}

double loss_of_scales(const std::vector<Scale>& scales, const Tensor& target) {
  const Image image = image_of(target);
  const int64_t slice = scales.back().extent.slice();
  const int64_t planes = target.numel() / slice;
  if (planes == 0) return scales.back().terms.element_share * 0 + scales.back().terms.axis_shares[0] * 0;
  int64_t bytes = 0;
  for (const Scale& scale : scales) bytes += gradient_bytes(scale.prediction, planes * scale.extent.slice());
  std::vector<double> losses(static_cast<size_t>(planes));
  parallel_for(planes, std::max<int64_t>(1, kGrain / slice), [&](int64_t begin, int64_t end) {
    const auto pass = image.dtype == Dtype::kFloat64 ? pass_planes<double> : pass_planes<float>;
    pass(scales, image, bytes > kStreamedBytes, planes, begin, end, losses.data());
  });
  return sum_of(losses.data(), planes);
}

std::tuple<Tensor, std::vector<Tensor>> multiscale_prediction_loss(
    std::vector<Tensor> predictions, const Tensor& target, int64_t p, double alpha, double lp_weight,
    double gdl_weight, std::vector<double> scale_weights, bool need_predictions) {
  std::vector<Tensor> gradients;
  for (const Tensor& prediction : predictions) {
    if (need_predictions) gradients.push_back(empty_gradient(prediction, true));
  }
  const double loss = loss_of_scales(
      scales_of({p, alpha, lp_weight, gdl_weight}, predictions, gradients, scale_weights, 1), target);
  return {scalar_tensor(loss, target), gradients};
}

void multiscale_prediction_loss_backward(std::vector<Tensor> gradients, const Tensor& grad_loss,
                                         std::vector<Tensor> predictions, const Tensor& target, int64_t p,
                                         double alpha, double lp_weight, double gdl_weight,
                                         std::vector<double> scale_weights, bool filled) {
  const double scale = scalar(grad_loss);
  if (filled && scale == 1) return;
  loss_of_scales(scales_of({p, alpha, lp_weight, gdl_weight}, predictions, gradients, scale_weights, scale),
                 target);
}

// body(begin, end, levels) for planes of a pyramid, with memory for each level's plane, coarsest first.
template <typename T, typename Body>
void for_each_plane(const std::vector<Extent>& extents, int64_t planes, const Body& body) {
  parallel_for(planes, std::max<int64_t>(1, kGrain / extents.back().slice()),
               [&](int64_t begin, int64_t end) {
                 std::vector<Buffer<T>> levels;
                 for (const Extent& extent : extents) levels.emplace_back(extent.slice());
                 for (int64_t plane = begin; plane < end; ++plane) body(plane, levels);
               });
}

template <typename T>
void widen_plane(const Image& image, int64_t plane, int64_t elements, T* to) {
  const void* from = offset(image.data, image.dtype, plane * elements);
  if constexpr (sizeof(T) == sizeof(float)) {
    gdl_kernels().widen(image.dtype, from, elements, to);
  } else {
    std::copy_n(static_cast<const T*>(from), elements, to);
  }
}

template <typename T>
void narrow_plane(const T* from, int64_t plane, int64_t elements, const Image& image) {
  void* to = offset(image.gradient, image.dtype, plane * elements);
  if constexpr (sizeof(T) == sizeof(float)) {
    gdl_kernels().narrow(image.dtype, from, elements, to);
  } else {
    std::copy_n(from, elements, static_cast<T*>(to));
  }
}

template <typename T>
void average_planes(const Image& x, const std::vector<Extent>& extents, const std::vector<Image>& averages,
                    int64_t planes) {
  for_each_plane<T>(extents, planes, [&](int64_t plane, const std::vector<Buffer<T>>& levels) {
    const size_t finest = averages.size();
    widen_plane(x, plane, extents[finest].slice(), levels[finest].get());
    for (size_t k = finest; k-- > 0;) {
      gdl_loops<T>().average(levels[k + 1].get(), extents[k].height, extents[k].width, levels[k].get());
      narrow_plane(levels[k].get(), plane, extents[k].slice(), averages[k]);
    }
  });
}

// Contiguous, in the dtype of `like`, with its leading axes and another height and width.
Tensor empty_planes(const Tensor& like, const Extent& extent) {
  std::vector<int64_t> sizes(like.sizes().begin(), like.sizes().end());
  sizes.end()[-2] = extent.height;
  sizes.end()[-1] = extent.width;
  std::vector<int64_t> strides(sizes.size());
  int64_t stride = 1;
  for (size_t i = sizes.size(); i-- > 0; stride *= std::max<int64_t>(1, sizes[i])) strides[i] = stride;
  return empty_strided(sizes, strides, dtype_of(like), like);
}

std::vector<Tensor> average_pyramid(const Tensor& x, int64_t levels) {
  const Extent finest = extent_of(x, 2);
  std::vector<Extent> extents;
  std::vector<Tensor> averages;
  std::vector<Image> images;
  for (int64_t k = levels - 1; k > 0; --k) {
    extents.push_back({1, finest.height >> k, finest.width >> k});
    averages.push_back(empty_planes(x, extents.back()));
    images.push_back(image_of(averages.back(), averages.back()));
  }
  extents.push_back(finest);
  (dtype_of(x) == Dtype::kFloat64
       ? average_planes<double>
       : average_planes<float>)(image_of(x), extents, images, x.numel() / finest.slice());
  return averages;
}

template <typename T>
void spread_planes(const std::vector<Image>& gradients, const std::vector<Extent>& extents,
                   const Image& grad_x, int64_t planes) {
  for_each_plane<T>(extents, planes, [&](int64_t plane, const std::vector<Buffer<T>>& levels) {
    for (size_t k = 0; k < extents.size(); ++k) {
      const int64_t elements = extents[k].slice();
      if (k < gradients.size()) {
        widen_plane(gradients[k], plane, elements, levels[k].get());
      } else {
        std::fill_n(levels[k].get(), elements, T(0));
      }
      if (k == 0) continue;
      const Extent& coarse = extents[k - 1];
      gdl_loops<T>().spread(levels[k - 1].get(), coarse.height, coarse.width, levels[k].get());
    }
    narrow_plane(levels.back().get(), plane, extents.back().slice(), grad_x);
  });
}

Tensor average_pyramid_backward(std::vector<Tensor> gradients) {
  std::vector<Extent> extents;
  std::vector<Image> images;
  for (const Tensor& gradient : gradients) {
    extents.push_back(extent_of(gradient, 2));
    images.push_back(image_of(gradient));
  }
  const Extent& last = extents.back();
  extents.push_back({1, 2 * last.height, 2 * last.width});
  const Tensor& like = gradients.back();
  Tensor grad_x = empty_planes(like, extents.back());
  (dtype_of(like) == Dtype::kFloat64 ? spread_planes<double>
                                     : spread_planes<float>)(images, extents, image_of(grad_x, grad_x),
                                                             grad_x.numel() / extents.back().slice());
  return grad_x;
}

}  // namespace
}  // namespace ebgan

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CPU, library) {
  library.impl("multiscale_prediction_loss", TORCH_BOX(&ebgan::multiscale_prediction_loss));
  library.impl("multiscale_prediction_loss_backward_",
               TORCH_BOX(&ebgan::multiscale_prediction_loss_backward));
  library.impl("average_pyramid", TORCH_BOX(&ebgan::average_pyramid));
  library.impl("average_pyramid_backward", TORCH_BOX(&ebgan::average_pyramid_backward));
}
