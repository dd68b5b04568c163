// A batch of moving patches cut from video clips, at several scales, in one pass:
//
//     out_k[b, t, c, y, x] = (sum of the 4^k bytes under it) / (127.5 4^k) - 1
//
// Each window offers several places for its patch. The patch is cut at the first place where the last two
// frames differ by enough (sum of squared differences > min_squared_change), else at the last place. For each
// element of a patch 1 byte is read and 4 (1 + 1/4 + ...) are written, and 2 bytes are read for each place that
// is tried. This file knows nothing of Python; errors are std::out_of_range, which pybind11 turns into
// IndexError.
#pragma once

#include <cstdint>
#include <vector>

namespace ebgan::host {

constexpr int64_t kColours = 3;
constexpr int64_t kMaxScales = 5;   // the sum of 4^4 bytes still fits 16 bits
constexpr int64_t kMaxSize = 8192;  // the squared change of a row of 3 * 8192 bytes still fits 32 bits

// Consecutive frames of a clip: uint8 (frames, height, width, 3).
struct Window {
  const uint8_t* pixels;
  int64_t height, width;
};

// The upper left corner of a patch in its window.
struct Place {
  int64_t top, left;
};

struct PatchShape {
  int64_t frames, size, scales;
};

// Throws unless every patch lies inside its window; errors name the argument and the position in the batch.
// `places` holds `tries` places for each window, in the order in which they are tried. The check must run
// before any thread starts.
void check_places(const std::vector<Window>& windows, const std::vector<Place>& places, int64_t size);

// Writes out[k], (windows, frames, 3, s, s) in C order with s = size / 2^(scales - 1 - k), coarsest first.
// `size` is divisible by 2^(scales - 1). Up to `threads` threads run, fewer where the batch is too small to gain
// from them; the result does not depend on their number.
void clip_batch(const std::vector<Window>& windows, const std::vector<Place>& places,
                int64_t min_squared_change, PatchShape shape, const std::vector<float*>& out,
                int64_t threads);

}  // namespace ebgan::host
