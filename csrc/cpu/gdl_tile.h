// A tile of one volume: its part of the loss and its gradients, in one pass over memory.
//
// A tile is passed slice by slice (planes are one slice), and a slice in blocks of whole rows. A tile that begins
// below the top or behind the front computes the slopes that enter it again.

#pragma once

#include <algorithm>

#include "cpu/gdl_workspace.h"

namespace ebgan {

// The rows [top, bottom) of the slices [front, back) of a volume: loss() passes them once, writes the gradients
// that are wanted and returns their part of the loss.
template <typename T>
class Tile {
 public:
  // Makes tile `index` of the volume; tiles are numbered down first, then through.
  Tile(const Terms& terms, const Volume& volume, Workspace<T>& workspace, int64_t index)
      : terms_(terms), volume_(volume), extent_(volume.extent), workspace_(workspace) {
    const int64_t down = index % extent_.tiles_down();
    const int64_t through = index / extent_.tiles_down();
    top_ = down * extent_.tile_rows();
    bottom_ = std::min(top_ + extent_.tile_rows(), extent_.rows);
    front_ = through * extent_.depth / extent_.tiles_through();
    back_ = (through + 1) * extent_.depth / extent_.tiles_through();
    above_ = top_ % extent_.height == 0 ? top_ : top_ - 1;
    below_ = bottom_ % extent_.height == 0 ? bottom_ : bottom_ + 1;
  }

  double loss() {
    Slice slice = enter();
    for (int64_t z = front_; z < back_; ++z) {
      const Slice next = extent_.depth > 1 && z + 1 < extent_.depth ? read(z + 1) : Slice{};
      if (terms_.axes != 0 && volume_.wants_gradient() && above_ < top_) pass_above(slice);
      for (int64_t y = top_; y < bottom_; y += extent_.block_rows()) {
        pass_block(slice, next, z, y, std::min(y + extent_.block_rows(), bottom_));
      }
      slice = next;
    }
    double total = terms_.p == 0 ? 0 : terms_.element_share * sums_.elements;
    for (int axis = 0; axis < terms_.axes; ++axis) total += terms_.axis_shares[axis] * sums_.axes[axis];
    return total;
  }

 private:
  // The rows [above_, below_) of a slice in both images.
  struct Slice {
    const T* prediction = nullptr;
    const T* target = nullptr;
  };

  Slice read(int64_t z) {
    const int64_t first = (z * extent_.rows + above_) * extent_.width;
    const int64_t count = (below_ - above_) * extent_.width;
    return {workspace_.prediction.values(volume_.prediction, first, count, z),
            workspace_.target.values(volume_.target, first, count, z)};
  }

  // Reads the first slice, and computes the slopes of the pairs whose second elements are in it.
  Slice enter() {
    if (terms_.axes != 3 || !volume_.wants_gradient()) return read(front_);
    std::fill_n(workspace_.prediction.through.get(), (bottom_ - top_) * extent_.width, T(0));
    if (volume_.target.gradient) {
      std::fill_n(workspace_.target.through.get(), (bottom_ - top_) * extent_.width, T(0));
    }
    if (front_ == 0) return read(front_);
    const Slice before = read(front_ - 1);
    const Slice first = read(front_);
    for (int64_t y = top_; y < bottom_; y += extent_.block_rows()) {
      Run<T> run = run_of(before, first, y, std::min(y + extent_.block_rows(), bottom_));
      run.paired = false;
      slopes_of(run);
    }
    return first;
  }

  // Computes the slopes of the pairs whose second element is in the tile's first row.
  void pass_above(const Slice& slice) {
    Run<T> run = run_of(slice, {}, above_, top_);
    run.through = false;
    slopes_of(run);
  }

  void slopes_of(const Run<T>& run) {
    Terms terms = terms_;
    terms.p = 0;
    Sums ignored;
    gdl_loops<T>().pass(terms, run, ignored);
  }

  void pass_block(const Slice& slice, const Slice& next, int64_t z, int64_t top, int64_t bottom) {
    Run<T> run = run_of(slice, next, top, bottom);
    const int64_t first = (z * extent_.rows + top) * extent_.width;
    const auto gradient = [&](const Image& image, T* otherwise) {
      const bool direct = image.gradient && !is_converted<T>(image);
      return direct ? static_cast<T*>(offset(image.gradient, image.dtype, first)) : otherwise;
    };
    run.prediction.gradient = gradient(volume_.prediction, run.prediction.gradient);
    run.target.gradient = gradient(volume_.target, run.target.gradient);
    run.streamed = volume_.streamed;
    gdl_loops<T>().pass(terms_, run, sums_);
    if constexpr (sizeof(T) == sizeof(float)) {
      const auto narrow = [&](const Image& image, const T* from) {
        if (!image.gradient || !is_converted<T>(image)) return;
        gdl_kernels().narrow(image.dtype, from, (bottom - top) * extent_.width,
                             offset(image.gradient, image.dtype, first));
      };
      narrow(volume_.prediction, run.prediction.gradient);
      narrow(volume_.target, run.target.gradient);
    }
  }

  // The rows [top, bottom) of a slice, with gradients that go to the workspace.
  Run<T> run_of(const Slice& slice, const Slice& next, int64_t top, int64_t bottom) const {
    const int64_t at = (top - above_) * extent_.width;
    const auto side = [&](const T* values, const T* beyond, const SideWorkspace<T>& workspace, bool slopes) {
      Side<T> side = {values + at, beyond ? beyond + at : nullptr};
      if (slopes) {
        side.gradient = workspace.gradient.get();
        side.down = workspace.down.get();
        if (terms_.axes == 3) side.through = workspace.through.get() + (top - top_) * extent_.width;
      }
      return side;
    };
    return {side(slice.prediction, next.prediction, workspace_.prediction, volume_.wants_gradient()),
            side(slice.target, next.target, workspace_.target, volume_.target.gradient != nullptr),
            bottom - top,
            extent_.width,
            top % extent_.height,
            extent_.height,
            terms_.axes != 0,
            terms_.axes == 3,
            false};
  }

  const Terms& terms_;
  const Volume& volume_;
  const VolumeExtent extent_;
  Workspace<T>& workspace_;
  int64_t top_;
  int64_t bottom_;
  int64_t front_;
  int64_t back_;
  int64_t above_;
  int64_t below_;
  Sums sums_;
};

}  // namespace ebgan
