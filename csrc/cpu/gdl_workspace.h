// What is passed band by band, and the memory that a thread needs for it.
//
// A band is at most 16,384 elements of a slice (or one row), a block at most 1,024. Beside a block's slopes a
// thread holds those between two slices of a band, and of half types the band itself in float32.

#pragma once

#include <algorithm>
#include <memory>
#include <new>

#include "cpu/gdl_kernels.h"
#include "cpu/values.h"

namespace ebgan {

struct Extent {
  int64_t depth;
  int64_t height;
  int64_t width;

  int64_t slice() const { return height * width; }
  int64_t volume() const { return depth * slice(); }
  int64_t band_rows() const { return std::clamp<int64_t>(16384 / width, 1, height); }
  int64_t block_rows() const { return std::clamp<int64_t>(1024 / width, 1, band_rows()); }
  int64_t bands() const { return (height + band_rows() - 1) / band_rows(); }
};

// What the terms of a loss are worth. `axes` are width, height and depth; none where the gradient difference is
// left out, as p is 0 where the l_p term is.
struct Terms {
  int p;
  int axes;
  double alpha;
  double element_share;
  double axis_shares[3];

  Terms scaled(double by) const {
    Terms terms = *this;
    terms.element_share *= by;
    for (double& share : terms.axis_shares) share *= by;
    return terms;
  }
};

// One volume of a tensor, and its gradient; null where that is not wanted.
struct Image {
  const void* data;
  Dtype dtype;
  void* gradient;
};

// `last`: no element of its tensors follows in memory.
struct Volume {
  Extent extent;
  Image prediction;
  Image target;
  bool last;
  bool streamed;

  bool wants_gradient() const { return prediction.gradient || target.gradient; }
};

// Uninitialised memory, aligned to a cache line.
template <typename T>
class Buffer {
 public:
  explicit Buffer(int64_t count)
      : data_(static_cast<T*>(::operator new(static_cast<size_t>(count) * sizeof(T), kLine))) {}
  T* get() const { return data_.get(); }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Delete {
    void operator()(T* data) const { ::operator delete(data, kLine); }
  };
  std::unique_ptr<T, Delete> data_;
};

constexpr int64_t kPad = 16;  // elements: a cache line of float32

// The slopes of one side. `along` and `down` hold a block, with the element before it and the row above it.
template <typename T>
struct Slopes {
  Slopes(const Extent& extent, bool wanted)
      : along_(wanted ? kPad + extent.block_rows() * extent.width : 0),
        down_(wanted ? (1 + extent.block_rows()) * extent.width : 0),
        through_(wanted && extent.depth > 1 ? 2 * extent.band_rows() * extent.width : 0),
        slice_(extent.band_rows() * extent.width) {
    if (wanted) along()[-1] = 0;
  }

  T* along() const { return along_.get() + kPad; }
  T* down() const { return down_.get(); }
  T* through(int64_t slice) const { return through_.get() + slice % 2 * slice_; }

 private:
  Buffer<T> along_;
  Buffer<T> down_;
  Buffer<T> through_;
  int64_t slice_;
};

// What a thread needs for bands of volumes like `volume`.
template <typename T>
struct Workspace {
  explicit Workspace(const Volume& volume)
      : prediction(volume.extent, volume.wants_gradient()),
        target(volume.extent, volume.target.gradient != nullptr),
        mask(volume.extent.block_rows() * volume.extent.width),
        zeros(volume.extent.block_rows() * volume.extent.width),
        widened((is_widened(volume.prediction) || is_widened(volume.target)) ? 4 * rows(volume.extent) : 0) {
    const int64_t width = volume.extent.width;
    const int64_t block = volume.extent.block_rows() * width;
    std::fill_n(mask.get(), block, Bits<T>(-1));
    for (int64_t end = width; end <= block; end += width) mask.get()[end - 1] = 0;
    std::fill_n(zeros.get(), block, T(0));
  }

  static bool is_widened(const Image& image) {
    return sizeof(T) == sizeof(float) && image.dtype != Dtype::kFloat32;
  }

  // Memory for the rows of a band in one slice, with a row above, a row below and an element after that.
  static int64_t rows(const Extent& extent) { return (extent.band_rows() + 2) * extent.width + kPad; }

  // `count` elements of an image as T: where they are, or converted into one of four places.
  const T* values(const Image& image, int64_t first, int64_t count, int64_t place, const Extent& extent) {
    const void* from = offset(image.data, image.dtype, first);
    if constexpr (sizeof(T) == sizeof(float)) {
      if (is_widened(image)) {
        T* to = widened.get() + place * rows(extent);
        gdl_kernels().widen(image.dtype, from, count, to);
        return to;
      }
    }
    return static_cast<const T*>(from);
  }

  Slopes<T> prediction;
  Slopes<T> target;
  Buffer<Bits<T>> mask;
  Buffer<T> zeros;
  Buffer<T> widened;
};

}  // namespace ebgan
