// Stand-in for CUDA's bfloat16: the upper half of a float32, rounded to nearest, ties to even; NaN is 0x7fff, as on a GPU.

#pragma once

#include <cstdint>
#include <cstring>

struct __nv_bfloat16 {
  uint16_t bits;

  __nv_bfloat16() = default;
  explicit __nv_bfloat16(float from) {
    uint32_t word;
    std::memcpy(&word, &from, sizeof word);
    const uint32_t rounded = (word + 0x7fffu + ((word >> 16) & 1u)) >> 16;
    bits = static_cast<uint16_t>(from != from ? 0x7fffu : rounded);
  }
  explicit operator float() const {
    const uint32_t word = uint32_t{bits} << 16;
    float value;
    std::memcpy(&value, &word, sizeof value);
    return value;
  }
};
