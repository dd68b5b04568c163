// The multi-scale prediction loss and the average pyramid on the CPU.
//
//   multiscale_prediction_loss, _backward_   predictions and target read once, 1 written for each gradient
//   average_pyramid, _backward               N read, N/4 + N/16 + ... written; the backward pass the reverse
//
// A thread takes groups of whole planes, of 16,384 elements or of one plane. The averages of a group's target are in
// the thread's own memory, a third of a group; for half types so is the group itself in float32.

#include <tuple>
#include <vector>

#include "cpu/gdl_volumes.h"

namespace ebgan {
namespace {

// One scale of the multi-scale loss, whose weight is in its terms; the extent is that of one plane.
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
    const Extent extent = extent_of(prediction, 2, 0);
    scales.push_back({terms_of(weights, extent, prediction.numel(), true, grad_loss * scale_weights[k]),
                      extent, gradients.empty() ? image_of(prediction) : image_of(prediction, gradients[k])});
  }
  return scales;
}

// Groups of planes, one after the other, in a thread's own memory.
template <typename T>
class Groups {
 public:
  Groups(const std::vector<Scale>& scales, const Image& target, int64_t planes, bool streamed)
      : scales_(scales), target_(target), streamed_(streamed) {
    for (size_t k = 0; k < scales.size(); ++k) {
      const Volume volume = volume_of(k, 0, planes, nullptr);
      workspaces_.emplace_back(volume);
      const bool stored = k + 1 < scales.size() || is_converted<T>(target);
      levels_.emplace_back(stored ? volume.extent.slice() : 0);
    }
  }

  // Returns the loss of `planes` planes at all scales and writes the gradients; the target is averaged on the way.
  double pass(int64_t first, int64_t planes) {
    size_t k = scales_.size() - 1;
    const int64_t elements = scales_[k].extent.slice();
    const void* from = offset(target_.data, target_.dtype, first * elements);
    const T* level = static_cast<const T*>(from);
    if constexpr (sizeof(T) == sizeof(float)) {
      if (is_converted<T>(target_)) {
        gdl_kernels().widen(target_.dtype, from, planes * elements, levels_[k].get());
        level = levels_[k].get();
      }
    }
    double loss = 0;
    for (;; --k) {
      const Volume volume = volume_of(k, first, planes, level);
      for (int64_t tile = 0; tile < volume.extent.tiles(); ++tile) {
        loss += Tile<T>(scales_[k].terms, volume, workspaces_[k], tile).loss();
      }
      if (k == 0) return loss;
      const Extent& coarse = scales_[k - 1].extent;
      gdl_loops<T>().average(level, planes * coarse.height, coarse.width, levels_[k - 1].get());
      level = levels_[k - 1].get();
    }
  }

 private:
  Volume volume_of(size_t k, int64_t first, int64_t planes, const T* level) const {
    Extent extent = scales_[k].extent;
    const Image prediction = part_of(scales_[k].prediction, first * extent.slice());
    extent.rows *= planes;
    return {extent, prediction, {level, kDtype, nullptr}, streamed_};
  }

  static constexpr Dtype kDtype = sizeof(T) == sizeof(double) ? Dtype::kFloat64 : Dtype::kFloat32;
  const std::vector<Scale>& scales_;
  const Image target_;
  const bool streamed_;
  std::vector<Workspace<T>> workspaces_;
  std::vector<Buffer<T>> levels_;
};

template <typename T>
double loss_of_scales(const std::vector<Scale>& scales, const Image& target, int64_t planes, bool streamed) {
  const int64_t slice = scales.back().extent.slice();
  const int64_t step = std::clamp<int64_t>(16384 / slice, 1, planes);
  std::vector<double> losses(static_cast<size_t>((planes + step - 1) / step));
  const int64_t count = static_cast<int64_t>(losses.size());
  parallel_for(count, std::max<int64_t>(1, kGrain / (step * slice)), [&](int64_t begin, int64_t end) {
    Groups<T> groups(scales, target, step, streamed);
    for (int64_t i = begin; i < end; ++i) {
      losses[i] = groups.pass(i * step, std::min(step, planes - i * step));
    }
    if (streamed) gdl_kernels().finish();
  });
  return sum_of(losses.data(), count);
}

double loss_of_scales(const std::vector<Scale>& scales, const Tensor& target) {
  const Image image = image_of(target);
  const int64_t planes = target.numel() / scales.back().extent.slice();
  if (planes == 0) return scales.back().terms.element_share * 0 + scales.back().terms.axis_shares[0] * 0;
  int64_t bytes = 0;
  for (const Scale& scale : scales) bytes += gradient_bytes(scale.prediction, planes * scale.extent.slice());
  const auto loss = image.dtype == Dtype::kFloat64 ? loss_of_scales<double> : loss_of_scales<float>;
  return loss(scales, image, planes, bytes > kStreamedBytes);
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

// Calls body(begin, end, levels) for the planes of a pyramid, with memory for a plane of each level, coarsest first.
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

// A contiguous tensor in the dtype of `like`, with its leading axes and another height and width.
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
  const Extent finest = extent_of(x, 2, 0);
  std::vector<Extent> extents;
  std::vector<Tensor> averages;
  std::vector<Image> images;
  for (int64_t k = levels - 1; k > 0; --k) {
    extents.push_back({1, finest.height >> k, finest.height >> k, finest.width >> k});
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
    extents.push_back(extent_of(gradient, 2, 0));
    images.push_back(image_of(gradient));
  }
  const Extent& last = extents.back();
  extents.push_back({1, 2 * last.height, 2 * last.height, 2 * last.width});
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
