// The multi-scale prediction loss and the average pyramid on the CPU, over planes.
//
// A thread takes groups of whole planes, of 16,384 elements or of one plane. The averages of a group's target are in
// the thread's own memory, a third of a group; for half types so is the group itself in float32.

#pragma once

#include <algorithm>
#include <vector>

#include "cpu/gdl_volumes.h"

namespace ebgan::gdl {

// One scale with the shares of its terms; the extent is that of one plane.
struct ScaleOfPlanes {
  Terms terms;
  VolumeExtent extent;
  Image prediction;
};

// Groups of planes, one after the other, in a thread's own memory.
template <typename T>
class Groups {
 public:
  Groups(const std::vector<ScaleOfPlanes>& scales, const Image& target, int64_t planes, bool streamed)
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
      const VolumeExtent& coarse = scales_[k - 1].extent;
      gdl_loops<T>().average(level, planes * coarse.height, coarse.width, levels_[k - 1].get());
      level = levels_[k - 1].get();
    }
  }

 private:
  Volume volume_of(size_t k, int64_t first, int64_t planes, const T* level) const {
    VolumeExtent extent = scales_[k].extent;
    const Image prediction = part_of(scales_[k].prediction, first * extent.slice());
    extent.rows *= planes;
    return {extent, prediction, {{level, kDtype}, nullptr}, streamed_};
  }

  static constexpr Dtype kDtype = sizeof(T) == sizeof(double) ? Dtype::kFloat64 : Dtype::kFloat32;
  const std::vector<ScaleOfPlanes>& scales_;
  const Image target_;
  const bool streamed_;
  std::vector<Workspace<T>> workspaces_;
  std::vector<Buffer<T>> levels_;
};

template <typename T>
double loss_of_scales(const std::vector<ScaleOfPlanes>& scales, const Image& target, int64_t planes,
                      bool streamed) {
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

// Returns the loss of all scales for an incoming gradient, and writes the gradients that are wanted.
inline double loss_of_scales(const Scales& scales, double incoming) {
  std::vector<ScaleOfPlanes> of_planes;
  int64_t bytes = 0;
  for (const Scale& scale : scales.scales) {
    const Image prediction = image_of(scale.prediction, scale.gradient);
    of_planes.push_back({scale.extent.terms(scales.weights, true, incoming * scale.weight),
                         volume_of(scale.extent, 1), prediction});
    bytes += gradient_bytes(prediction, scale.extent.sample_elements());
  }
  const int64_t planes = scales.scales.back().extent.volumes;
  if (planes == 0) return of_planes.back().terms.of_nothing();
  const auto loss = scales.target.dtype == Dtype::kFloat64 ? loss_of_scales<double> : loss_of_scales<float>;
  return loss(of_planes, {scales.target, nullptr}, planes, bytes > kStreamedBytes);
}

// The extents of a plane at the finest of `levels` levels and its averages, coarsest first.
inline std::vector<VolumeExtent> extents_of(const Extent& finest, size_t levels) {
  std::vector<VolumeExtent> extents;
  for (size_t k = levels; k-- > 0;) {
    extents.push_back({1, finest.height >> k, finest.height >> k, finest.width >> k});
  }
  return extents;
}

// Calls body(plane, levels) for the planes of a pyramid, with memory for a plane of each level, coarsest first.
template <typename T, typename Body>
void for_each_plane(const std::vector<VolumeExtent>& extents, int64_t planes, const Body& body) {
  parallel_for(planes, std::max<int64_t>(1, kGrain / extents.back().slice()),
               [&](int64_t begin, int64_t end) {
                 std::vector<Buffer<T>> levels;
                 for (const VolumeExtent& extent : extents) levels.emplace_back(extent.slice());
                 for (int64_t plane = begin; plane < end; ++plane) body(plane, levels);
               });
}

template <typename T>
void widen_plane(const Source& source, int64_t plane, int64_t elements, T* to) {
  const void* from = offset(source.data, source.dtype, plane * elements);
  if constexpr (sizeof(T) == sizeof(float)) {
    gdl_kernels().widen(source.dtype, from, elements, to);
  } else {
    std::copy_n(static_cast<const T*>(from), elements, to);
  }
}

template <typename T>
void narrow_plane(const T* from, int64_t plane, int64_t elements, const Result& result) {
  void* to = offset(result.data, result.dtype, plane * elements);
  if constexpr (sizeof(T) == sizeof(float)) {
    gdl_kernels().narrow(result.dtype, from, elements, to);
  } else {
    std::copy_n(from, elements, static_cast<T*>(to));
  }
}

template <typename T>
void average_planes(const Source& x, const Extent& finest, const std::vector<Result>& averages) {
  const std::vector<VolumeExtent> extents = extents_of(finest, averages.size() + 1);
  for_each_plane<T>(extents, finest.volumes, [&](int64_t plane, const std::vector<Buffer<T>>& levels) {
    const size_t last = averages.size();
    widen_plane(x, plane, extents[last].slice(), levels[last].get());
    for (size_t k = last; k-- > 0;) {
      gdl_loops<T>().average(levels[k + 1].get(), extents[k].height, extents[k].width, levels[k].get());
      narrow_plane(levels[k].get(), plane, extents[k].slice(), averages[k]);
    }
  });
}

template <typename T>
void spread_planes(const std::vector<Source>& gradients, const Extent& finest, const Result& grad_x) {
  const std::vector<VolumeExtent> extents = extents_of(finest, gradients.size() + 1);
  for_each_plane<T>(extents, finest.volumes, [&](int64_t plane, const std::vector<Buffer<T>>& levels) {
    for (size_t k = 0; k < extents.size(); ++k) {
      const int64_t elements = extents[k].slice();
      if (k < gradients.size()) {
        widen_plane(gradients[k], plane, elements, levels[k].get());
      } else {
        std::fill_n(levels[k].get(), elements, T(0));
      }
      if (k == 0) continue;
      const VolumeExtent& coarse = extents[k - 1];
      gdl_loops<T>().spread(levels[k - 1].get(), coarse.height, coarse.width, levels[k].get());
    }
    narrow_plane(levels.back().get(), plane, extents.back().slice(), grad_x);
  });
}

}  // namespace ebgan::gdl
