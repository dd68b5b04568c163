#include "clip_batch.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>

#include "parallel.h"
#include "target_clones.h"

namespace ebgan::host {
namespace {

constexpr int64_t kElementsPerThread = 1 << 19;  // the same as in image_batch.cpp, which gives the reason

void check_inside(const char* name, size_t index, size_t tries, int64_t offset, int64_t extent,
                  int64_t size) {
  if (offset >= 0 && offset <= extent - size) return;
  const std::string where = "[" + std::to_string(index / tries) + ", " + std::to_string(index % tries) + "]";
  throw std::out_of_range(name + where + " is " + std::to_string(offset) + ", but a patch of " +
                          std::to_string(size) + " lies inside " + std::to_string(extent) +
                          " pixels from 0 to " + std::to_string(extent - size));
}

const uint8_t* corner(const Window& window, const Place& place, int64_t frame) {
  return window.pixels + ((frame * window.height + place.top) * window.width + place.left) * kColours;
}

EBGAN_WITH_AVX2 bool moves(const Window& window, const Place& place, PatchShape shape,
                           int64_t min_squared_change) {
  if (shape.frames < 2) return false;
  const uint8_t* before = corner(window, place, shape.frames - 2);
  const uint8_t* after = corner(window, place, shape.frames - 1);
  const int64_t row_bytes = shape.size * kColours;
  int64_t total = 0;
  for (int64_t y = 0; y < shape.size; ++y) {
    int32_t row = 0;  // rows of more than 33,025 bytes would overflow it; kMaxSize keeps them shorter
    for (int64_t i = 0; i < row_bytes; ++i) {
      const int16_t difference = static_cast<int16_t>(after[i] - before[i]);
      row += difference * difference;
    }
    total += row;
    if (total > min_squared_change) return true;
    before += window.width * kColours;
    after += window.width * kColours;
  }
  return false;
}

const Place& choose(const Window& window, const Place* places, int64_t tries, PatchShape shape,
                    int64_t min_squared_change) {
  for (int64_t i = 0; i + 1 < tries; ++i) {
    if (moves(window, places[i], shape, min_squared_change)) return places[i];
  }
  return places[tries - 1];
}

// Copies one frame of a patch from interleaved colours to planes.
EBGAN_WITH_AVX2 void split_colours(const uint8_t* source, int64_t row_stride, int64_t size,
                                   uint16_t* planes) {
  const int64_t area = size * size;
  for (int64_t y = 0; y < size; ++y, source += row_stride) {
    uint16_t* row = planes + y * size;
    for (int64_t x = 0; x < size; ++x) {
      row[x] = source[kColours * x];
      row[x + area] = source[kColours * x + 1];
      row[x + 2 * area] = source[kColours * x + 2];
    }
  }
}

// Maps sums of bytes from [0, white] to [-1, 1]. The integer 2 sum - white is exact, and no compiler can fuse
// the one product that follows with anything, so every machine gives the same bits and the ends are exact.
EBGAN_WITH_AVX2 void scale(const uint16_t* sums, int64_t count, int32_t white, float* out) {
  const float factor = 1.0f / static_cast<float>(white);
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(2 * sums[i] - white) * factor;
}

// Sums blocks of 2 x 2 in place, plane after plane: an output never overwrites an input that is still needed.
EBGAN_WITH_AVX2 void pool(uint16_t* planes, int64_t size) {
  const int64_t half = size / 2;
  for (int64_t y = 0; y < kColours * half; ++y) {
    const uint16_t* upper = planes + 2 * y * size;
    const uint16_t* lower = upper + size;
    uint16_t* row = planes + y * half;
    for (int64_t x = 0; x < half; ++x) {
      row[x] = static_cast<uint16_t>(upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]);
    }
  }
}

}  // namespace

void check_places(const std::vector<Window>& windows, const std::vector<Place>& places, int64_t size) {
  const size_t tries = windows.empty() ? 1 : places.size() / windows.size();
  for (size_t i = 0; i < places.size(); ++i) {
    const Window& window = windows[i / tries];
    check_inside("tops", i, tries, places[i].top, window.height, size);
    check_inside("lefts", i, tries, places[i].left, window.width, size);
  }
}

void clip_batch(const std::vector<Window>& windows, const std::vector<Place>& places,
                int64_t min_squared_change, PatchShape shape, const std::vector<float*>& out,
                int64_t threads) {
  const int64_t batch = static_cast<int64_t>(windows.size());
  if (batch == 0) return;
  const int64_t tries = static_cast<int64_t>(places.size()) / batch;
  const int64_t frame_elements = kColours * shape.size * shape.size;
  const int64_t useful = batch * shape.frames * frame_elements / kElementsPerThread;
  // The memory is allocated before the threads start, since their body must not throw. Each thread uses the
  // frame at which its range begins; frames that no thread touches cost nothing.
  const auto scratch = std::make_unique_for_overwrite<uint16_t[]>(batch * frame_elements);
  parallel_for(batch, std::min(threads, useful), [&](int64_t begin, int64_t end) {
    uint16_t* planes = scratch.get() + begin * frame_elements;
    for (int64_t b = begin; b < end; ++b) {
      const Window& window = windows[b];
      const Place& place = choose(window, &places[b * tries], tries, shape, min_squared_change);
      for (int64_t t = 0; t < shape.frames; ++t) {
        split_colours(corner(window, place, t), window.width * kColours, shape.size, planes);
        int64_t size = shape.size;
        int32_t white = 255;
        for (int64_t k = shape.scales - 1;; --k) {
          const int64_t elements = kColours * size * size;
          scale(planes, elements, white, out[k] + (b * shape.frames + t) * elements);
          if (k == 0) break;
          pool(planes, size);
          size /= 2;
          white *= 4;
        }
      }
    }
  });
}

}  // namespace ebgan::host
