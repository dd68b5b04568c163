// Volumes of tensors, the shares of their terms, and how their tiles are shared among threads.

#pragma once

#include <vector>

#include "cpu/gdl_tile.h"
#include "cpu/pages.h"
#include "stable/parallel.h"

namespace ebgan {

// The arguments p, alpha, lp_weight and gdl_weight of the schemas.
struct Weights {
  int64_t p;
  double alpha;
  double lp_weight;
  double gdl_weight;
};

// The shares of the terms in a mean over `elements`, or in their sum.
inline Terms terms_of(const Weights& weights, const Extent& extent, int64_t elements, bool mean,
                      double scale = 1) {
  Terms terms = {weights.lp_weight == 0 ? 0 : static_cast<int>(weights.p),
                 weights.gdl_weight == 0 ? 0
                 : extent.depth > 1      ? 3
                                         : 2,
                 weights.alpha,
                 scale * weights.lp_weight,
                 {scale * weights.gdl_weight, scale * weights.gdl_weight, scale * weights.gdl_weight}};
  if (mean) {
    const int64_t sizes[] = {extent.width, extent.height, extent.depth};
    terms.element_share = math::element_share(terms.element_share, elements);
    for (int axis = 0; axis < terms.axes; ++axis) {
      terms.axis_shares[axis] = math::axis_share(terms.axis_shares[axis], elements, sizes[axis]);
    }
  }
  return terms;
}

// The extent of a volume; in 2-D that of all the planes of `elements` elements together.
inline Extent extent_of(const Tensor& tensor, int64_t spatial_dims, int64_t elements) {
  const int64_t dims = tensor.dim();
  const int64_t height = tensor.size(dims - 2);
  const int64_t width = tensor.size(dims - 1);
  if (spatial_dims == 3) return {tensor.size(dims - 3), height, height, width};
  return {1, std::max<int64_t>(1, elements / (height * width)) * height, height, width};
}

inline void* writable(const Tensor& gradient) {
  if (gradient.numel() == 0) return nullptr;
  void* data = gradient.mutable_data_ptr();
  prefer_huge_pages(data, gradient.numel() * element_size(dtype_of(gradient)));
  return data;
}

inline Image image_of(const Tensor& tensor) { return {tensor.const_data_ptr(), dtype_of(tensor), nullptr}; }

inline Image image_of(const Tensor& tensor, const Tensor& gradient) {
  return {tensor.const_data_ptr(), dtype_of(tensor), writable(gradient)};
}

inline Image part_of(const Image& image, int64_t first) {
  return {offset(image.data, image.dtype, first), image.dtype, offset(image.gradient, image.dtype, first)};
}

inline int64_t gradient_bytes(const Image& image, int64_t elements) {
  return image.gradient ? elements * element_size(image.dtype) : 0;
}

// Volumes that follow each other in memory.
struct Volumes {
  Extent extent;
  int64_t count;
  Image prediction;
  Image target;
  bool streamed;

  Volumes(const Extent& extent, int64_t elements, const Image& prediction, const Image& target)
      : extent(extent),
        count(elements / extent.volume()),
        prediction(prediction),
        target(target),
        streamed(gradient_bytes(prediction, elements) + gradient_bytes(target, elements) > kStreamedBytes) {}

  Volume operator[](int64_t index) const {
    const int64_t first = index * extent.volume();
    return {extent, part_of(prediction, first), part_of(target, first), streamed};
  }
};

// Returns the loss of each tile of each volume, in order; scale(volume) multiplies loss and gradients.
template <typename T, typename Scale>
std::vector<double> losses_of_tiles(const Terms& terms, const Volumes& volumes, const Scale& scale) {
  const int64_t tiles = volumes.extent.tiles();
  std::vector<double> losses(static_cast<size_t>(volumes.count * tiles));
  const int64_t tile_elements = volumes.extent.volume() / tiles;
  parallel_for(volumes.count * tiles, std::max<int64_t>(1, kGrain / tile_elements),
               [&](int64_t begin, int64_t end) {
                 Workspace<T> workspace(volumes[0]);
                 for (int64_t i = begin; i < end; ++i) {
                   const Volume volume = volumes[i / tiles];
                   const Terms scaled = terms.scaled(scale(i / tiles));
                   losses[i] = Tile<T>(scaled, volume, workspace, i % tiles).loss();
                 }
                 if (volumes.streamed) gdl_kernels().finish();
               });
  return losses;
}

template <typename Scale>
std::vector<double> losses_of_tiles(const Terms& terms, const Volumes& volumes, const Scale& scale) {
  return volumes.prediction.dtype == Dtype::kFloat64 ? losses_of_tiles<double>(terms, volumes, scale)
                                                     : losses_of_tiles<float>(terms, volumes, scale);
}

inline double sum_of(const double* values, int64_t count) {
  double total = 0;
  for (int64_t i = 0; i < count; ++i) total += values[i];
  return total;
}

}  // namespace ebgan
