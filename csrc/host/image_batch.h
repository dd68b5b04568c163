// A batch of training images: gathered from a uint8 set, cropped, mirrored and scaled to float32 in one pass.
//
//     out[b, c, y, x] = images[crop.image, c, crop.top + y, crop.left + x'] / 127.5 - 1,   x' = x, or w - 1 -
//     x if flipped
//
// Everything outside the image is black (-1), so a negative offset pads. Each output element takes 1 byte read
// and 4 written. This file knows nothing of Python; errors are std::invalid_argument and std::out_of_range,
// which pybind11 turns into ValueError and IndexError.
#pragma once

#include <cstdint>
#include <vector>

namespace ebgan::host {

struct ImageSize {
  int64_t channels, height, width;
};

struct Crop {
  int64_t image;
  int64_t top, left;
  bool flip;
};

// Throws where a crop is not valid; errors name the argument and the position in the batch. The check must run
// before any thread starts.
void check_crops(const std::vector<Crop>& crops, int64_t images);

// Makes `out` (B, C, h, w), B = crops.size(), of `images` (N, C, H, W); both are in C order and do not overlap.
// Up to `threads` threads run, fewer where the batch is too small to gain from them; the result does not depend
// on their number.
void image_batch(const uint8_t* images, ImageSize image, const std::vector<Crop>& crops, float* out,
                 ImageSize output, int64_t threads);

}  // namespace ebgan::host
