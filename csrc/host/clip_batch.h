// A batch of moving patches cut from video clips, at several scales, in one pass:
//
//     out_k[b, t, c, y, x] = (sum of the 4^k bytes under it) / (127.5 4^k) - 1
//
// Each window offers several places for its patch; taken is the first where the last two frames differ by
// enough, sum of squared differences > min_squared_change, else the last. Bytes: per patch element 1 read and
// 4 (1 + 1/4 + ...) written, and 2 read for each place that is tried. Knows nothing of Python; errors are
// std::out_of_range (IndexError there).
#pragma once

#include <cstdint>
#include <vector>

namespace ebgan::host {

constexpr int64_t kColours = 3;
constexpr int64_t kMaxScales = 5;   // the sum of 4^4 bytes still fits 16 bits
constexpr int64_t kMaxSize = 8192;  // and the squared change of a row of 3 * 8192 bytes 32

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

// Checked before any thread starts: every patch must lie inside its window. Errors name the argument and the
// position in the batch. places: `tries` for each window, in the order in which they are tried.
void check_places(const std::vector<Window>& windows, const std::vector<Place>& places, int64_t size);

// out[k]: (windows, frames, 3, s, s) in C order with s = size / 2^(scales - 1 - k), coarsest first. `size` is
// divisible by 2^(scales - 1). Uses up to `threads` threads, fewer where the batch is too small to gain from
// them; the result does not depend on it.
void clip_batch(const std::vector<Window>& windows, const std::vector<Place>& places,
                int64_t min_squared_change, PatchShape shape, const std::vector<float*>& out,
                int64_t threads);

}  // namespace ebgan::host
