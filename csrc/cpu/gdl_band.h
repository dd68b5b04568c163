// A band of rows of one volume: its part of the loss and its gradients, in one pass over memory.
//
// A band is at most 16,384 elements of a slice, and the bands of a volume depend on its shape alone: the sums of
// bands, added in order, have the same bits for any number of threads. A band is passed slice by slice (a plane
// is one slice), a slice in blocks of whole rows that stay in the first-level cache. Slopes of the pairs along
// rows and down columns live for a block (the last row's go on to the next), those between slices for a slice.
// Where a band begins below the top, the slopes of the row above are computed again.

#pragma once

#include <algorithm>

#include "cpu/gdl_workspace.h"

namespace ebgan {

using math::Exponent;

// The rows [first, last) of a volume: loss() passes them once, writes the gradients that are wanted and returns
// their part of the loss.
template <typename T>
class Band {
 public:
  Band(const Terms& terms, const Volume& volume, Workspace<T>& workspace, int64_t first, int64_t last)
      : terms_(terms),
        volume_(volume),
        extent_(volume.extent),
        workspace_(workspace),
        exponent_(math::exponent_of(terms.alpha)),
        first_(first),
        last_(last),
        above_(std::max<int64_t>(first - 1, 0)),
        below_(std::min(last + 1, volume.extent.height)) {}

  double loss() {
    Slice slice = read(0);
    for (int64_t z = 0; z < extent_.depth; ++z) {
      const Slice next = z + 1 < extent_.depth ? read(z + 1) : Slice{};
      begin_slice(slice);
      const int64_t step = extent_.block_rows();
      for (int64_t y = first_; y < last_; y += step) pass(slice, next, z, y, std::min(y + step, last_));
      slice = next;
    }
    double total = terms_.p == 0 ? 0 : terms_.element_share * element_sum_;
    for (int axis = 0; axis < terms_.axes; ++axis) total += terms_.axis_shares[axis] * axis_sums_[axis];
    return total;
  }

 private:
  // Rows [above_, below_) of a slice, of both images.
  struct Slice {
    const T* prediction = nullptr;
    const T* target = nullptr;
  };

  Slice read(int64_t z) {
    const int64_t at = (z * extent_.height + above_) * extent_.width;
    const int64_t count = (below_ - above_) * extent_.width;
    return {workspace_.values(volume_.prediction, at, count, z % 2, extent_),
            workspace_.values(volume_.target, at, count, 2 + z % 2, extent_)};
  }

  T* prediction_slopes(T* slopes) const { return volume_.wants_gradient() ? slopes : nullptr; }
  T* target_slopes(T* slopes) const { return volume_.target.gradient ? slopes : nullptr; }

  // The slopes of the pairs whose second element is in the band's first row.
  void begin_slice(const Slice& slice) {
    if (terms_.axes == 0 || !volume_.wants_gradient()) return;
    const int64_t width = extent_.width;
    T* prediction = workspace_.prediction.down();
    T* target = target_slopes(workspace_.target.down());
    if (first_ > above_) {
      gdl_loops<T>().pairs(exponent_, {{slice.prediction, slice.prediction + width, prediction},
                                       {slice.target, slice.target + width, target},
                                       width,
                                       nullptr,
                                       terms_.alpha,
                                       false});
      return;
    }
    std::fill_n(prediction, width, T(0));
    if (target) std::fill_n(target, width, T(0));
  }

  // The rows [top, bottom) of slice z.
  void pass(const Slice& slice, const Slice& next, int64_t z, int64_t top, int64_t bottom) {
    const int64_t offset = (top - above_) * extent_.width;
    const T* prediction = slice.prediction + offset;
    const T* target = slice.target + offset;
    const int64_t count = (bottom - top) * extent_.width;
    if (terms_.axes != 0) {
      along_rows(prediction, target, count, z + 1 == extent_.depth && bottom == extent_.height);
      down_columns(prediction, target, count, bottom == extent_.height);
      if (next.prediction) {
        through_slices(prediction, target, next.prediction + offset, next.target + offset, count, z, top);
      }
    }
    write(prediction, target, count, z, top);
    if (terms_.axes != 0 && volume_.wants_gradient()) {
      const auto carry = [&](T* down) { std::copy_n(down + count, extent_.width, down); };
      carry(workspace_.prediction.down());
      if (volume_.target.gradient) carry(workspace_.target.down());
    }
  }

  void along_rows(const T* prediction, const T* target, int64_t count, bool end) {
    T* prediction_to = prediction_slopes(workspace_.prediction.along());
    T* target_to = target_slopes(workspace_.target.along());
    // Every element is paired with the next in memory, and the mask takes out the ends of rows; but behind the
    // very last element there may be nothing to read.
    if (end && volume_.last) {
      --count;
      if (prediction_to) prediction_to[count] = 0;
      if (target_to) target_to[count] = 0;
    }
    axis_sums_[0] += gdl_loops<T>().pairs(exponent_, {{prediction, prediction + 1, prediction_to},
                                                      {target, target + 1, target_to},
                                                      count,
                                                      workspace_.mask.get(),
                                                      terms_.alpha,
                                                      volume_.streamed && extent_.depth == 1});
  }

  void down_columns(const T* prediction, const T* target, int64_t count, bool end) {
    const int64_t width = extent_.width;
    T* prediction_to = prediction_slopes(workspace_.prediction.down() + width);
    T* target_to = target_slopes(workspace_.target.down() + width);
    if (end) {
      count -= width;  // there is no row below the last
      if (prediction_to) std::fill_n(prediction_to + count, width, T(0));
      if (target_to) std::fill_n(target_to + count, width, T(0));
    }
    axis_sums_[1] += gdl_loops<T>().pairs(exponent_, {{prediction, prediction + width, prediction_to},
                                                      {target, target + width, target_to},
                                                      count,
                                                      nullptr,
                                                      terms_.alpha,
                                                      false});
  }

  void through_slices(const T* prediction, const T* target, const T* next_prediction, const T* next_target,
                      int64_t count, int64_t z, int64_t top) {
    const int64_t at = (top - first_) * extent_.width;
    axis_sums_[2] += gdl_loops<T>().pairs(
        exponent_, {{prediction, next_prediction, prediction_slopes(workspace_.prediction.through(z) + at)},
                    {target, next_target, target_slopes(workspace_.target.through(z) + at)},
                    count,
                    nullptr,
                    terms_.alpha,
                    volume_.streamed});
  }

  void write(const T* prediction, const T* target, int64_t count, int64_t z, int64_t top) {
    const int64_t at = (z * extent_.height + top) * extent_.width;
    const auto elements = [&](const Image& image, const Slopes<T>& slopes, double share) {
      Elements<T> run = {prediction,
                         target,
                         count,
                         share,
                         {},
                         image.dtype,
                         ebgan::offset(image.gradient, image.dtype, at),
                         volume_.streamed};
      if (terms_.axes != 0 && image.gradient) {
        run.axes[0] = {slopes.along() - 1, slopes.along(), terms_.axis_shares[0]};
        run.axes[1] = {slopes.down(), slopes.down() + extent_.width, terms_.axis_shares[1]};
      }
      if (terms_.axes == 3 && image.gradient) {
        const int64_t in_band = (top - first_) * extent_.width;
        const T* zeros = workspace_.zeros.get();
        run.axes[2] = {z == 0 ? zeros : slopes.through(z - 1) + in_band,
                       z + 1 == extent_.depth ? zeros : slopes.through(z) + in_band, terms_.axis_shares[2]};
      }
      return gdl_loops<T>().elements(terms_.p, terms_.axes, run);
    };
    if (terms_.p != 0 || volume_.prediction.gradient) {
      element_sum_ += elements(volume_.prediction, workspace_.prediction, terms_.element_share);
    }
    if (volume_.target.gradient) elements(volume_.target, workspace_.target, -terms_.element_share);
  }

  const Terms& terms_;
  const Volume& volume_;
  const Extent extent_;
  Workspace<T>& workspace_;
  const Exponent exponent_;
  const int64_t first_;
  const int64_t last_;
  const int64_t above_;
  const int64_t below_;
  double element_sum_ = 0;
  double axis_sums_[3] = {0, 0, 0};
};

}  // namespace ebgan
