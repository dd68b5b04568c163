// Vectors as wide as the instruction set for which this file is compiled, and loads and stores that convert float16
// and bfloat16.
//
// They use the vector extensions of GCC and Clang, so one source serves AVX-512, AVX2, plain x86-64 and NEON. Files
// that include this one are compiled once per instruction set, each into its own namespace EBGAN_ISA
// (CMakeLists.txt).

#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "math/half.h"

namespace ebgan::EBGAN_ISA {

using math::BFloat16;
using math::Float16;
using math::load_one;
using math::store_one;

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

template <typename Element>
struct Accumulation {
  using type = float;
};
template <>
struct Accumulation<double> {
  using type = double;
};

template <typename Scalar>
struct VectorOf {
  typedef Scalar type __attribute__((vector_size(kVectorBytes)));
};
template <typename Scalar>
using Vector = typename VectorOf<Scalar>::type;
template <typename Scalar>
constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(Scalar));

using Float = Vector<float>;
typedef uint32_t UInt __attribute__((vector_size(kVectorBytes)));
typedef uint16_t UInt16Half __attribute__((vector_size(kVectorBytes / 2)));

using Double = Vector<double>;

#if defined(__AVX2__) && !defined(__AVX512F__)
// A mask with all bits set in the first `count` lanes of 32 bytes, for AVX2's masked loads and stores.
template <typename Lane>
inline __m256i first_lanes(int count) {
  typedef Lane Lanes __attribute__((vector_size(32)));
  Lanes place{};
  for (unsigned i = 0; i < sizeof(Lanes) / sizeof(Lane); ++i) place[i] = i;
  return reinterpret_cast<__m256i>(place < static_cast<Lane>(count));
}
#endif

template <typename V, typename Scalar>
inline V load_as(const Scalar* from) {
  V value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline Float load(const float* from) { return load_as<Float>(from); }
inline Double load(const double* from) { return load_as<Double>(from); }
inline void store(float* to, Float value) { std::memcpy(to, &value, sizeof value); }
inline void store(double* to, Double value) { std::memcpy(to, &value, sizeof value); }

// Loads the first `count` elements, from none to a whole vector. The other lanes are 0, and their memory is not read.
template <typename T>
inline Vector<T> load_first(const T* from, int count) {
#if defined(__AVX512F__)
  const uint32_t lanes = (1u << count) - 1;
  if constexpr (sizeof(T) == sizeof(float)) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>(lanes), from);
  } else {
    return _mm512_maskz_loadu_pd(static_cast<__mmask8>(lanes), from);
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == sizeof(float)) {
    return _mm256_maskload_ps(from, first_lanes<int32_t>(count));
  } else {
    return _mm256_maskload_pd(from, first_lanes<int64_t>(count));
  }
#else
  Vector<T> value{};
  for (int i = 0; i < count; ++i) value[i] = from[i];
  return value;
#endif
}

template <typename T>
inline void store_first(T* to, Vector<T> value, int count) {
#if defined(__AVX512F__)
  const uint32_t lanes = (1u << count) - 1;
  if constexpr (sizeof(T) == sizeof(float)) {
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>(lanes), value);
  } else {
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>(lanes), value);
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == sizeof(float)) {
    _mm256_maskstore_ps(to, first_lanes<int32_t>(count), value);
  } else {
    _mm256_maskstore_pd(to, first_lanes<int64_t>(count), value);
  }
#else
  for (int i = 0; i < count; ++i) to[i] = value[i];
#endif
}

// Moves the lanes of `value` one place up and puts the last lane of `before` into the first place.
template <typename V>
inline V shifted(V before, V value) {
  constexpr int kCount = sizeof(V) / sizeof(value[0]);
  return [&]<int... lanes>(std::integer_sequence<int, lanes...>) {
    return __builtin_shufflevector(before, value, (kCount - 1 + lanes)...);
  }(std::make_integer_sequence<int, kCount>{});
}

// Stores past the caches, where the processor can. `to` must be aligned to a vector, and finish_streaming() must
// follow.
inline void stream(float* to, Float value) {
#if defined(__AVX512F__)
  _mm512_stream_ps(to, value);
#elif defined(__AVX2__)
  _mm256_stream_ps(to, value);
#elif defined(__x86_64__)
  _mm_stream_ps(to, value);
#else
  store(to, value);
#endif
}

inline void stream(double* to, Double value) {
#if defined(__AVX512F__)
  _mm512_stream_pd(to, value);
#elif defined(__AVX2__)
  _mm256_stream_pd(to, value);
#elif defined(__x86_64__)
  _mm_stream_pd(to, value);
#else
  store(to, value);
#endif
}

inline void finish_streaming() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

inline Float load(const BFloat16* from) {
  return reinterpret_cast<Float>(__builtin_convertvector(load_as<UInt16Half>(from), UInt) << 16);
}

inline void store(BFloat16* to, Float value) {
  const UInt bits = reinterpret_cast<UInt>(value);
  const UInt rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const UInt nan_mask = reinterpret_cast<UInt>(value != value);
  const UInt chosen = (rounded & ~nan_mask) | (0x7fc0u & nan_mask);
  const UInt16Half narrow = __builtin_convertvector(chosen, UInt16Half);
  std::memcpy(to, &narrow, sizeof narrow);
}

inline Float load(const Float16* from) {
  Float value;
#if defined(__AVX512F__)
  // These are the zero-masking forms, because the plain ones make GCC 12 warn of an uninitialised value inside its
  // own header.
  value = _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
#elif defined(__F16C__) && defined(__AVX2__)
  value = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
#elif defined(__aarch64__)
  value = vcvt_f32_f16(load_as<float16x4_t>(from));
#else
  for (int i = 0; i < kLanes<float>; ++i) value[i] = load_one(from + i);
#endif
  return value;
}

inline void store(Float16* to, Float value) {
#if defined(__AVX512F__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                      _mm512_maskz_cvtps_ph(0xffff, value, _MM_FROUND_TO_NEAREST_INT));
#elif defined(__F16C__) && defined(__AVX2__)
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT));
#elif defined(__aarch64__)
  const float16x4_t narrow = vcvt_f16_f32(value);
  std::memcpy(to, &narrow, sizeof narrow);
#else
  for (int i = 0; i < kLanes<float>; ++i) store_one(to + i, value[i]);
#endif
}

}  // namespace ebgan::EBGAN_ISA
