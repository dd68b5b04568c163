#include "resample.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "target_clones.h"

namespace ebgan::host {
namespace {

constexpr int64_t kColours = 3;
constexpr int kFractionBits = 22;
constexpr int64_t kMostWeight = int64_t{2} << kFractionBits;  // 255 times this and a half fit an int32
constexpr int64_t kBlock = 32;                                // sums that stay in registers

constexpr int64_t padded(int64_t count) { return (count + kBlock - 1) / kBlock * kBlock; }

// out[i * step] = byte(sum_k weights[k] * lines[k * stride + i]) for i < count. Lines are read up to the next
// whole block, so that the inner loop has a fixed length and is compiled to vector instructions.
EBGAN_WITH_AVX2 void weighted_line(const uint8_t* lines, int64_t stride, const int32_t* weights, int64_t taps,
                                   uint8_t* out, int64_t step, int64_t count) {
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    int32_t sums[kBlock];
    for (int64_t i = 0; i < kBlock; ++i) sums[i] = 1 << (kFractionBits - 1);
    for (int64_t k = 0; k < taps; ++k) {
      const uint8_t* line = lines + k * stride + begin;
      for (int64_t i = 0; i < kBlock; ++i) sums[i] += weights[k] * line[i];
    }
    uint8_t bytes[kBlock];
    for (int64_t i = 0; i < kBlock; ++i) {
      bytes[i] = static_cast<uint8_t>(std::clamp(sums[i] >> kFractionBits, 0, 255));
    }
    const int64_t kept = std::min(kBlock, count - begin);
    for (int64_t i = 0; i < kept; ++i) out[(begin + i) * step] = bytes[i];
  }
}

}  // namespace

void check_axis(const char* name, const Axis& axis, int64_t extent) {
  for (int64_t i = 0; i < axis.size; ++i) {
    if (axis.starts[i] < 0 || axis.starts[i] > extent - axis.taps) {
      throw std::out_of_range(std::string(name) + "_starts[" + std::to_string(i) + "] is " +
                              std::to_string(axis.starts[i]) + ", but " + std::to_string(axis.taps) +
                              " neighbours lie inside " + std::to_string(extent) + " pixels from 0 to " +
                              std::to_string(extent - axis.taps));
    }
  }
  for (int64_t i = 0; i < axis.size; ++i) {
    int64_t total = 0;
    for (int64_t k = 0; k < axis.taps; ++k) {
      total += std::abs(static_cast<int64_t>(axis.weights[i * axis.taps + k]));
    }
    if (total > kMostWeight) {
      throw std::invalid_argument(std::string(name) + "_weights[" + std::to_string(i) +
                                  "] has magnitudes that add up to " + std::to_string(total) +
                                  ", allowed are " + std::to_string(kMostWeight));
    }
  }
}

void resample(const uint8_t* pixels, PictureSize picture, const Axis& columns, const Axis& rows,
              uint8_t* out) {
  if (rows.size == 0 || columns.size == 0) return;
  const int64_t first = *std::min_element(rows.starts.begin(), rows.starts.end());
  const int64_t last = *std::max_element(rows.starts.begin(), rows.starts.end()) + rows.taps;
  const int64_t height = last - first;

  // Each pass wants neighbours a line apart: columns of the picture lie as lines, (width, 3, height), then
  // the rows of what the first pass makes, (3, height, columns.size).
  const int64_t tall = padded(height), wide = padded(columns.size);
  std::vector<uint8_t> turned(picture.width * kColours * tall);
  std::vector<uint8_t> across(kColours * height * wide);
  const int64_t row = picture.width * kColours;
  for (int64_t begin = 0; begin < height; begin += kBlock) {
    const uint8_t* block = pixels + (first + begin) * row;
    const int64_t count = std::min(kBlock, height - begin);
    for (int64_t i = 0; i < row; ++i) {
      for (int64_t y = 0; y < count; ++y) turned[i * tall + begin + y] = block[y * row + i];
    }
  }
  for (int64_t x = 0; x < columns.size; ++x) {
    for (int64_t c = 0; c < kColours; ++c) {
      weighted_line(turned.data() + (columns.starts[x] * kColours + c) * tall, kColours * tall,
                    columns.weights.data() + x * columns.taps, columns.taps,
                    across.data() + c * height * wide + x, wide, height);
    }
  }
  for (int64_t c = 0; c < kColours; ++c) {
    for (int64_t y = 0; y < rows.size; ++y) {
      weighted_line(across.data() + (c * height + rows.starts[y] - first) * wide, wide,
                    rows.weights.data() + y * rows.taps, rows.taps, out + (c * rows.size + y) * columns.size,
                    1, columns.size);
    }
  }
}

}  // namespace ebgan::host
