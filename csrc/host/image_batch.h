// A batch of training images: gathered from a uint8 set, cropped, mirrored and scaled to float32 in one pass.
//
//     out[b, c, y, x] = images[crop.image, c, crop.top + y, crop.left + x'] / 127.5 - 1,   x' = x, or w - 1 -
//     x if flipped
//
// What lies outside the image is black (-1), so a negative offset pads. Bytes: 1 read and 4 written per
// output element. Knows nothing of Python; errors are std::invalid_argument and std::out_of_range (ValueError
// and IndexError there).
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

// Checked before any thread starts: errors name the argument and the position in the batch.
void check_crops(const std::vector<Crop>& crops, int64_t images);

// images: (N, C, H, W), out: (B, C, h, w) with B = crops.size(); both in C order and not overlapping. Uses up
// to `threads` threads, fewer where the batch is too small to gain from them; the result does not depend on
// it.
void image_batch(const uint8_t* images, ImageSize image, const std::vector<Crop>& crops, float* out,
                 ImageSize output, int64_t threads);

}  // namespace ebgan::host
