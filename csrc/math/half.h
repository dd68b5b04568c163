// float16 and bfloat16 as bit patterns. An element is loaded to float32, and a float32 is stored rounded to
// nearest, ties to even.

#pragma once

#include <stdint.h>
#include <string.h>

#include "math/qualifiers.h"

namespace ebgan::math {

struct Float16 {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

EBGAN_HOST_DEVICE float bits_to_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

EBGAN_HOST_DEVICE uint32_t float_to_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

EBGAN_HOST_DEVICE float load_one(const float* from) { return *from; }
EBGAN_HOST_DEVICE double load_one(const double* from) { return *from; }
EBGAN_HOST_DEVICE float load_one(const BFloat16* from) { return bits_to_float(uint32_t{from->bits} << 16); }

EBGAN_HOST_DEVICE float load_one(const Float16* from) {
  const uint32_t sign = uint32_t{from->bits & 0x8000u} << 16;
  const uint32_t exponent = (from->bits >> 10) & 0x1fu;
  const uint32_t fraction = from->bits & 0x3ffu;
  if (exponent == 31) return bits_to_float(sign | 0x7f800000u | (fraction << 13));
  if (exponent != 0) return bits_to_float(sign | ((exponent + 112) << 23) | (fraction << 13));
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;  // of zero and subnormal numbers
  return sign ? -magnitude : magnitude;
}

EBGAN_HOST_DEVICE void store_one(float* to, float value) { *to = value; }
EBGAN_HOST_DEVICE void store_one(double* to, double value) { *to = value; }

// Stores a value rounded to nearest, ties to even; NaN stays NaN.
EBGAN_HOST_DEVICE void store_one(BFloat16* to, float value) {
  const uint32_t bits = float_to_bits(value);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  to->bits = static_cast<uint16_t>(value != value ? 0x7fc0u : rounded);
}

EBGAN_HOST_DEVICE void store_one(Float16* to, float value) {
  const uint32_t bits = float_to_bits(value);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t result;
  if (magnitude > 0x7f800000u) {
    result = 0x7e00u;  // NaN
  } else if (magnitude >= 0x477ff000u) {
    result = 0x7c00u;  // 65520 and more round to infinity
  } else if (magnitude >= 0x38800000u) {
    result = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  } else {
    // The result is subnormal. Adding 0.5 puts the last place of a float at 2^-24, so the addition rounds.
    result = float_to_bits(bits_to_float(magnitude) + 0.5f) - 0x3f000000u;
  }
  to->bits = static_cast<uint16_t>(sign | result);
}

}  // namespace ebgan::math
