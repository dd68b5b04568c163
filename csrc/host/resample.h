// A picture brought to another size: each byte a weighted sum along its row, then along its column.
//
//     across[y, x, c] = byte(sum_k columns.weights[x, k] * pixels[y, columns.starts[x] + k, c])
//     out[c, y, x]    = byte(sum_k rows.weights[y, k] * across[rows.starts[y] + k, x, c])
//
// with byte(s) = (s + 2^21) >> 22, between 0 and 255. Weights are whole numbers in units of 2^-22, and Pillow's
// resize rounds at the same two places: with its weights the bytes are its own. This file knows nothing of
// Python; errors are std::invalid_argument and std::out_of_range, which become ValueError and IndexError.
#pragma once

#include <cstdint>
#include <vector>

namespace ebgan::host {

struct PictureSize {
  int64_t height, width;
};

// What the positions of one axis of the output are made of: `taps` neighbours each, from `starts` on.
struct Axis {
  std::vector<int64_t> starts;   // (size,)
  std::vector<int32_t> weights;  // (size, taps)
  int64_t size, taps;
};

// Throws where a position lies outside the `extent` of the picture, or weights could overflow an int32.
void check_axis(const char* name, const Axis& axis, int64_t extent);

// Makes `out` (3, rows.size, columns.size) of `pixels` (height, width, 3); both are in C order and do not
// overlap. The axes have passed the check.
void resample(const uint8_t* pixels, PictureSize picture, const Axis& columns, const Axis& rows,
              uint8_t* out);

}  // namespace ebgan::host
