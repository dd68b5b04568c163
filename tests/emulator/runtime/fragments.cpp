// ldmatrix and mma: which lane holds which element is the PTX manual's, products are exact and sums rounded once.

#include <cmath>
#include <cstring>

#include "cuda_bf16.h"
#include "cuda_fp16.h"
#include "hooks.h"
#include "launch.h"
#include "ptx.h"
#include "warp.h"

namespace emulator {
namespace {

constexpr int kMatrices = 4;
constexpr int kRowBytes = 16;
constexpr uint32_t kAllLanes = 0xffffffffu;

// --- ldmatrix ------------------------------------------------------------------------------------

struct RowAddress {
  uint32_t address;
};

// Lane 8 m + r names row r of matrix m. Register m of a lane: row lane / 4, elements 2 (lane % 4) and the next; of the
// transposed matrix where `transposed`.
template <bool transposed>
void load_together(Meeting& meeting, uint32_t, char (*results)[32], Site site) {
  uint32_t addresses[kWarpLanes];
  const char* const shared = current->block->shared;
  for (int lane = 0; lane < kWarpLanes; ++lane) {
    std::memcpy(&addresses[lane], meeting.in[lane], sizeof addresses[lane]);
    if (addresses[lane] % kRowBytes != 0 || addresses[lane] + kRowBytes > kSharedArena) {
      fail("ldmatrix in %s:%d: lane %d names the row at 0x%x in shared memory, which is not aligned to 16 bytes",
           site.file, site.line, lane, addresses[lane]);
    }
  }
  note_matrix_rows(addresses, kWarpLanes, site);
  for (int lane = 0; lane < kWarpLanes; ++lane) {
    for (int matrix = 0; matrix < kMatrices; ++matrix) {
      for (int half = 0; half < 2; ++half) {
        const int row = transposed ? 2 * (lane % 4) + half : lane / 4;
        const int column = transposed ? lane / 4 : 2 * (lane % 4) + half;
        const char* const element = shared + addresses[8 * matrix + row] + 2 * column;
        std::memcpy(results[lane] + 4 * matrix + 2 * half, element, 2);
      }
    }
  }
}

template <bool transposed>
void load(const Arguments& arguments, Site site) {
  static const char what = 0;
  const RowAddress row = {static_cast<uint32_t>(arguments.value(4))};
  const char* const result = meet(kAllLanes, &what, load_together<transposed>, &row, sizeof row, site);
  for (int i = 0; i < kMatrices; ++i) {
    uint32_t bits;
    std::memcpy(&bits, result + 4 * i, sizeof bits);
    arguments.set(static_cast<size_t>(i), bits, sizeof bits);
  }
}

// --- mma -----------------------------------------------------------------------------------------

constexpr int kRows = 16;
constexpr int kColumns = 8;

struct Fragments {
  uint32_t left[4];
  uint32_t right[2];
  float sums[4];
};

const Fragments& of_lane(const Meeting& meeting, int lane) {
  return *reinterpret_cast<const Fragments*>(meeting.in[lane]);
}

struct Float16Element {
  static constexpr int kPerRegister = 2;
  static float value(uint32_t bits, int half) {
    __half element;
    const uint16_t word = static_cast<uint16_t>(bits >> (16 * half));
    std::memcpy(&element, &word, sizeof word);
    return static_cast<float>(element);
  }
};
struct BFloat16Element {
  static constexpr int kPerRegister = 2;
  static float value(uint32_t bits, int half) {
    __nv_bfloat16 element;
    element.bits = static_cast<uint16_t>(bits >> (16 * half));
    return static_cast<float>(element);
  }
};
// The last 13 bits do not count.
struct Tf32Element {
  static constexpr int kPerRegister = 1;
  static float value(uint32_t bits, int) {
    const uint32_t cut = bits & 0xffffe000u;
    float element;
    std::memcpy(&element, &cut, sizeof element);
    return element;
  }
};

// With g = lane / 4 and t = lane % 4, and e elements a register: left registers 0 to 3 hold rows g, g + 8, g, g + 8
// and columns e t + h, of the second half of the summed axis in registers 2 and 3; right registers 0 and 1 hold its
// halves in column g; sums 0 and 1 lie in row g, 2 and 3 in row g + 8, columns 2 t and 2 t + 1.
template <typename Element>
void multiply_together(Meeting& meeting, uint32_t, char (*results)[32], Site) {
  constexpr int e = Element::kPerRegister;
  constexpr int kDepth = 8 * e;
  float left[kRows][kDepth];
  float right[kDepth][kColumns];
  float sums[kRows][kColumns];
  for (int lane = 0; lane < kWarpLanes; ++lane) {
    const Fragments& fragments = of_lane(meeting, lane);
    const int g = lane / 4;
    const int t = lane % 4;
    for (int h = 0; h < e; ++h) {
      for (int i = 0; i < 4; ++i) {
        left[g + 8 * (i % 2)][e * t + h + i / 2 * 4 * e] = Element::value(fragments.left[i], h);
      }
      for (int i = 0; i < 2; ++i) right[e * t + h + i * 4 * e][g] = Element::value(fragments.right[i], h);
    }
    for (int i = 0; i < 4; ++i) sums[g + 8 * (i / 2)][2 * t + i % 2] = fragments.sums[i];
  }
  for (int row = 0; row < kRows; ++row) {
    for (int column = 0; column < kColumns; ++column) {
      double sum = static_cast<double>(sums[row][column]);
      for (int k = 0; k < kDepth; ++k) {
        sum += static_cast<double>(left[row][k]) * static_cast<double>(right[k][column]);
      }
      sums[row][column] = static_cast<float>(sum);
    }
  }
  for (int lane = 0; lane < kWarpLanes; ++lane) {
    for (int i = 0; i < 4; ++i) {
      std::memcpy(results[lane] + 4 * i, &sums[lane / 4 + 8 * (i / 2)][2 * (lane % 4) + i % 2], 4);
    }
  }
}

// d {0..3}, a {4..7}, b {8, 9}, c {10..13}.
template <typename Element>
void multiply(const Arguments& arguments, Site site) {
  static const char what = 0;
  Fragments mine;
  for (size_t i = 0; i < 4; ++i) mine.left[i] = static_cast<uint32_t>(arguments.value(4 + i));
  for (size_t i = 0; i < 2; ++i) mine.right[i] = static_cast<uint32_t>(arguments.value(8 + i));
  for (size_t i = 0; i < 4; ++i) {
    const uint32_t bits = static_cast<uint32_t>(arguments.value(10 + i));
    std::memcpy(&mine.sums[i], &bits, sizeof bits);
  }
  const char* const result = meet(kAllLanes, &what, multiply_together<Element>, &mine, sizeof mine, site);
  for (size_t i = 0; i < 4; ++i) {
    uint32_t bits;
    std::memcpy(&bits, result + 4 * i, sizeof bits);
    arguments.set(i, bits, sizeof bits);
  }
}

}  // namespace

void load_matrices(const Arguments& arguments, Site site) { load<false>(arguments, site); }
void load_transposed_matrices(const Arguments& arguments, Site site) { load<true>(arguments, site); }
void multiply_float16(const Arguments& arguments, Site site) { multiply<Float16Element>(arguments, site); }
void multiply_bfloat16(const Arguments& arguments, Site site) { multiply<BFloat16Element>(arguments, site); }
void multiply_tf32(const Arguments& arguments, Site site) { multiply<Tf32Element>(arguments, site); }

}  // namespace emulator
