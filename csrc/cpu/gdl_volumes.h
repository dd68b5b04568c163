// Volumes of tensors, the shares of their terms, and how their tiles are shared among threads.

#pragma once

#include <vector>

#include "cpu/gdl_tile.h"
#include "cpu/pages.h"
#include "operators/gdl.h"
#include "stable/parallel.h"

namespace ebgan {

inline Image image_of(const Source& source, const Result& gradient) { return {source, gradient.data}; }

inline Image part_of(const Image& image, int64_t first) {
  return {{offset(image.data, image.dtype, first), image.dtype}, offset(image.gradient, image.dtype, first)};
}

inline int64_t gradient_bytes(const Image& image, int64_t elements) {
  return image.gradient ? elements * element_size(image.dtype) : 0;
}

// The extent of a volume, or of `planes` planes together.
inline VolumeExtent volume_of(const gdl::Extent& extent, int64_t planes) {
  if (extent.depth > 1) return {extent.depth, extent.height, extent.height, extent.width};
  return {1, planes * extent.height, extent.height, extent.width};
}

// Volumes that follow each other in memory.
struct Volumes {
  VolumeExtent extent;
  int64_t count;
  Image prediction;
  Image target;
  bool streamed;

  Volumes(const VolumeExtent& extent, int64_t elements, const Image& prediction, const Image& target)
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
