// How a volume is cut into tiles, and the memory that a thread needs for one.
//
// A tile is at most 16,384 elements of a slice (or one row), through slices of about 262,144 elements together; a
// block of it is at most 4,096 elements. In float32 they are 64 KiB, 1 MiB and 16 KiB; other sizes were not
// measured. Tiles depend on the shape alone, so their sums, added in order, have the same bits for any number of
// threads.

#pragma once

#include <algorithm>
#include <memory>
#include <new>

#include "cpu/gdl_kernels.h"
#include "cpu/values.h"
#include "stable/view.h"

namespace ebgan {

// The extent of a volume, `depth` slices of `rows` rows. Planes have no neighbours beyond them, so planes that
// follow each other are one slice, whose rows are neighbours only within a `height`.
struct VolumeExtent {
  int64_t depth;
  int64_t rows;
  int64_t height;
  int64_t width;

  int64_t slice() const { return rows * width; }
  int64_t volume() const { return depth * slice(); }
  int64_t tile_rows() const { return std::clamp<int64_t>(16384 / width, 1, rows); }
  int64_t block_rows() const { return std::clamp<int64_t>(4096 / width, 1, tile_rows()); }
  // The numbers of tiles that a volume has down and through.
  int64_t tiles_down() const { return (rows + tile_rows() - 1) / tile_rows(); }
  int64_t tiles_through() const {
    return std::clamp<int64_t>(depth * tile_rows() * width / 262144, 1, depth);
  }
  int64_t tiles() const { return tiles_down() * tiles_through(); }
};

// One volume of a tensor, and its gradient, which is null where it is not wanted.
struct Image : Source {
  void* gradient = nullptr;
};

struct Volume {
  VolumeExtent extent;
  Image prediction;
  Image target;
  bool streamed;

  bool wants_gradient() const { return prediction.gradient || target.gradient; }
};

// Uninitialised memory, aligned to a cache line; null for no elements.
template <typename T>
class Buffer {
 public:
  explicit Buffer(int64_t count)
      : data_(count == 0 ? nullptr
                         : static_cast<T*>(::operator new(static_cast<size_t>(count) * sizeof(T), kLine))) {}
  T* get() const { return data_.get(); }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Delete {
    void operator()(T* data) const { ::operator delete(data, kLine); }
  };
  std::unique_ptr<T, Delete> data_;
};

template <typename T>
bool is_converted(const Image& image) {
  return sizeof(T) == sizeof(float) && image.dtype != Dtype::kFloat32;
}

// One image's part of a workspace: the slopes that go on to the next row and slice of a tile, the gradient of a
// block before it is written, and for a half type the converted values of two slices of a tile.
template <typename T>
class SideWorkspace {
 public:
  SideWorkspace(const VolumeExtent& extent, const Image& image, bool slopes)
      : down(slopes ? extent.width : 0),
        through(slopes && extent.depth > 1 ? extent.tile_rows() * extent.width : 0),
        gradient(slopes ? extent.block_rows() * extent.width : 0),
        // A slice of a tile is held with a row above and one below.
        slice_((extent.tile_rows() + 2) * extent.width),
        values_(is_converted<T>(image) ? 2 * slice_ : 0) {}

  // Returns `count` elements of slice z as T: where they are, or converted.
  const T* values(const Image& image, int64_t first, int64_t count, int64_t z) {
    const void* from = offset(image.data, image.dtype, first);
    if constexpr (sizeof(T) == sizeof(float)) {
      if (is_converted<T>(image)) {
        T* to = values_.get() + z % 2 * slice_;
        gdl_kernels().widen(image.dtype, from, count, to);
        return to;
      }
    }
    return static_cast<const T*>(from);
  }

  Buffer<T> down;
  Buffer<T> through;
  Buffer<T> gradient;

 private:
  int64_t slice_;
  Buffer<T> values_;
};

// The memory that a thread needs for tiles of volumes like `volume`.
template <typename T>
struct Workspace {
  explicit Workspace(const Volume& volume)
      : prediction(volume.extent, volume.prediction, volume.wants_gradient()),
        target(volume.extent, volume.target, volume.target.gradient != nullptr) {}

  SideWorkspace<T> prediction;
  SideWorkspace<T> target;
};

}  // namespace ebgan
