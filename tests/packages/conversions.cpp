// The conversions of vectors between float32 and 16 bits, beside those of one element: all values of 16 bits, and float32
// values of every exponent with all that decides how they round. Prints the first that differs.

#include <cstdio>
#include <cstring>
#include <initializer_list>

#include "cpu/vector.h"

namespace ebgan::EBGAN_ISA {

template <typename Half>
bool same(Half found, Half expected) {  // one NaN is as good as another
  const float one = load_one(&found);
  const float other = load_one(&expected);
  return found.bits == expected.bits || (one != one && other != other);
}

template <typename Half>
bool loads_are_right(const char* name) {
  for (uint32_t bits = 0; bits < 65536; bits += kLanes<float>) {
    Half halves[kLanes<float>];
    for (int lane = 0; lane < kLanes<float>; ++lane) halves[lane].bits = static_cast<uint16_t>(bits + lane);
    const Float loaded = load(halves);
    for (int lane = 0; lane < kLanes<float>; ++lane) {
      const float one = load_one(&halves[lane]);
      const float value = loaded[lane];
      if (std::memcmp(&one, &value, sizeof one) != 0 && (one == one || value == value)) {
        std::printf("%s 0x%04x loads as %a instead of %a\n", name, halves[lane].bits, value, one);
        return false;
      }
    }
  }
  return true;
}

template <typename Half>
bool stores_are_right(const char* name) {
  for (uint32_t high = 0; high < 65536; ++high) {
    for (const uint32_t low :
         {0x0u, 0x1u, 0xfffu, 0x1000u, 0x1001u, 0x2000u, 0x7fffu, 0x8000u, 0x8001u, 0xf000u, 0xffffu}) {
      const float value = math::bits_to_float(high << 16 | low);
      Half stored[kLanes<float>];
      Half expected;
      Float vector;
      for (int lane = 0; lane < kLanes<float>; ++lane) vector[lane] = value;
      store(stored, vector);
      store_one(&expected, value);
      if (!same(stored[0], expected) || !same(stored[kLanes<float> - 1], expected)) {
        std::printf("%a is stored as %s 0x%04x instead of 0x%04x\n", value, name, stored[0].bits,
                    expected.bits);
        return false;
      }
    }
  }
  return true;
}

}  // namespace ebgan::EBGAN_ISA

int main() {
  using namespace ebgan::EBGAN_ISA;
  const bool right = loads_are_right<Float16>("float16") & loads_are_right<BFloat16>("bfloat16") &
                     stores_are_right<Float16>("float16") & stores_are_right<BFloat16>("bfloat16");
  return right ? 0 : 1;
}
