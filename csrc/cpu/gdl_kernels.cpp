// The loops of the gradient-difference family, compiled once per instruction set into namespace EBGAN_ISA.
//
//   pairs     4 reads (2 of them from cache), 1 write (to cache) for each side that wants a gradient
//   elements  2 reads for the l_p term, 2 for each axis, all from cache; 1 write
//
// Both run over contiguous elements whatever the width of a row: pairs along a row are those of elements 1
// apart, with the ends of rows masked out.

#include "cpu/gdl_kernels.h"

#include <type_traits>

#include "cpu/vector.h"

namespace ebgan::EBGAN_ISA {
namespace {

using math::Exponent;

template <typename T>
using BitVector = typename VectorOf<Bits<T>>::type;

template <typename T>
inline Vector<T> masked(Vector<T> value, BitVector<T> mask) {
  return reinterpret_cast<Vector<T>>(reinterpret_cast<BitVector<T>>(value) & mask);
}

template <typename T>
inline double lane_sum(Vector<T> value) {
  double total = 0;
  for (int i = 0; i < kLanes<T>; ++i) total += static_cast<double>(value[i]);
  return total;
}

// Calls vector(i) for whole vectors of elements and one(i) for those that are left, and adds up what they return.
// A lane adds at most 64 terms before its sum goes on in float64.
template <typename T, typename VectorBody, typename OneBody>
inline double sum_over(int64_t count, const VectorBody& vector, const OneBody& one) {
  constexpr int64_t kBlock = 64 * kLanes<T>;
  const int64_t whole = count - count % kLanes<T>;
  double total = 0;
  int64_t i = 0;
  while (i < whole) {
    const int64_t end = i + kBlock < whole ? i + kBlock : whole;
    Vector<T> lanes{};
    for (; i < end; i += kLanes<T>) lanes += vector(i);
    total += lane_sum<T>(lanes);
  }
  for (; i < count; ++i) total += static_cast<double>(one(i));
  return total;
}

// ---- pairs of neighbours --------------------------------------------------------------------------------------

// By how many elements reads from memory are asked for ahead: about a block.
constexpr int64_t kAhead = 1024;

enum class Wanted { kTerms, kPrediction, kBoth };

template <typename T, Exponent exponent, Wanted wanted, bool has_mask>
double sum_pairs(const Pairs<T>& pairs) {
  const Side<T> prediction = pairs.prediction;
  const Side<T> target = pairs.target;
  const T alpha = static_cast<T>(pairs.alpha);
  // V is a vector of T, or T itself; `kept` masks, `save` stores.
  const auto pair = [&]<typename V>(int64_t i, V prediction_step, V target_step, const auto& kept,
                                    const auto& save) {
    const V q = math::step_difference(prediction_step, target_step);
    if constexpr (wanted != Wanted::kTerms) {
      const V slope = math::power_slope<exponent>(q, alpha);
      save(prediction.slopes + i, kept(slope * math::sign(prediction_step)));
      if constexpr (wanted == Wanted::kBoth) {
        save(target.slopes + i, kept(-slope * math::sign(target_step)));
      }
    }
    return kept(math::power_term<exponent>(q, alpha));
  };
  return sum_over<T>(
      pairs.count,
      [&](int64_t i) {
        const auto kept = [&](Vector<T> value) {
          if constexpr (has_mask) {
            BitVector<T> mask = load_as<BitVector<T>>(pairs.mask + i);
            return masked<T>(value, mask);
          } else {
            return value;
          }
        };
        if (pairs.from_memory) {
          __builtin_prefetch(prediction.second + i + kAhead);
          __builtin_prefetch(target.second + i + kAhead);
        }
        return pair(i, load(prediction.second + i) - load(prediction.first + i),
                    load(target.second + i) - load(target.first + i), kept,
                    [](T* to, Vector<T> value) { store(to, value); });
      },
      [&](int64_t i) {
        const auto kept = [&](T value) { return has_mask && pairs.mask[i] == 0 ? T(0) : value; };
        return pair(i, prediction.second[i] - prediction.first[i], target.second[i] - target.first[i], kept,
                    [](T* to, T value) { *to = value; });
      });
}

template <typename T, Exponent exponent, Wanted wanted>
double sum_pairs_masked_or_not(const Pairs<T>& pairs) {
  return pairs.mask ? sum_pairs<T, exponent, wanted, true>(pairs)
                    : sum_pairs<T, exponent, wanted, false>(pairs);
}

template <typename T, Exponent exponent>
double sum_pairs_wanted(const Pairs<T>& pairs) {
  if (pairs.target.slopes) return sum_pairs_masked_or_not<T, exponent, Wanted::kBoth>(pairs);
  if (pairs.prediction.slopes) return sum_pairs_masked_or_not<T, exponent, Wanted::kPrediction>(pairs);
  return sum_pairs_masked_or_not<T, exponent, Wanted::kTerms>(pairs);
}

template <typename T>
double pairs(Exponent exponent, const Pairs<T>& pairs) {
  switch (exponent) {
    case Exponent::kOne:
      return sum_pairs_wanted<T, Exponent::kOne>(pairs);
    case Exponent::kTwo:
      return sum_pairs_wanted<T, Exponent::kTwo>(pairs);
    default:
      return sum_pairs_wanted<T, Exponent::kAny>(pairs);
  }
}

// ---- elements ---------------------------------------------------------------------------------------------------

template <typename T, int p, int axes, typename Out>
double sum_elements(const Elements<T>& elements) {
  constexpr Exponent exponent = p == 1 ? Exponent::kOne : Exponent::kTwo;
  Out* gradient = static_cast<Out*>(elements.gradient);
  const T share = static_cast<T>(elements.share);
  const auto element = [&]<typename V>(int64_t i, const auto& read, const auto& save, V zero) {
    V value = zero;
    V term = zero;
    if constexpr (p != 0) {
      const V residual = read(elements.prediction + i) - read(elements.target + i);
      term = math::power_term<exponent>(residual, T(p));
      value = share * math::power_slope<exponent>(residual, T(p));
    }
    if (gradient) {
      for (int axis = 0; axis < axes; ++axis) {
        const Axis<T>& steps = elements.axes[axis];
        value += static_cast<T>(steps.share) * (read(steps.before + i) - read(steps.after + i));
      }
      save(gradient + i, value);
    }
    return term;
  };
  const auto one = [&](int64_t i) {
    return element(
        i, [](const T* from) { return *from; }, [](Out* to, T value) { store_one(to, value); }, T(0));
  };
  const auto read = [](const T* from) { return load(from); };
  if constexpr (std::is_same_v<Out, float>) {
    if (elements.streamed && reinterpret_cast<uintptr_t>(gradient) % kVectorBytes == 0) {
      const auto save = [](float* to, Vector<T> value) { stream(to, value); };
      return sum_over<T>(elements.count, [&](int64_t i) { return element(i, read, save, Vector<T>{}); }, one);
    }
  }
  const auto save = [](Out* to, Vector<T> value) { store(to, value); };
  return sum_over<T>(elements.count, [&](int64_t i) { return element(i, read, save, Vector<T>{}); }, one);
}

template <typename T, int p, int axes>
double sum_elements_into(const Elements<T>& elements) {
  if constexpr (std::is_same_v<T, float>) {
    if (elements.gradient_dtype == Dtype::kFloat16) return sum_elements<T, p, axes, Float16>(elements);
    if (elements.gradient_dtype == Dtype::kBFloat16) return sum_elements<T, p, axes, BFloat16>(elements);
  }
  return sum_elements<T, p, axes, T>(elements);
}

template <typename T, int p>
double sum_elements_of(int axes, const Elements<T>& elements) {
  if (axes == 3) return sum_elements_into<T, p, 3>(elements);
  if (axes == 2) return sum_elements_into<T, p, 2>(elements);
  return sum_elements_into<T, p, 0>(elements);
}

template <typename T>
double elements(int p, int axes, const Elements<T>& elements) {
  if (p == 1) return sum_elements_of<T, 1>(axes, elements);
  if (p == 2) return sum_elements_of<T, 2>(axes, elements);
  return sum_elements_of<T, 0>(axes, elements);
}

// ---- half types, and the pyramid --------------------------------------------------------------------------------

template <typename Element>
void widen_values(const Element* from, int64_t count, float* to) {
  int64_t i = 0;
  for (; i + kLanes<float> <= count; i += kLanes<float>) store(to + i, load(from + i));
  for (; i < count; ++i) to[i] = load_one(from + i);
}

template <typename Element>
void narrow_values(const float* from, int64_t count, Element* to) {
  int64_t i = 0;
  for (; i + kLanes<float> <= count; i += kLanes<float>) store(to + i, load(from + i));
  for (; i < count; ++i) store_one(to + i, from[i]);
}

void widen(Dtype dtype, const void* from, int64_t count, float* to) {
  if (dtype == Dtype::kFloat16) return widen_values(static_cast<const Float16*>(from), count, to);
  if (dtype == Dtype::kBFloat16) return widen_values(static_cast<const BFloat16*>(from), count, to);
  std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
}

void narrow(Dtype dtype, const float* from, int64_t count, void* to) {
  if (dtype == Dtype::kFloat16) return narrow_values(from, count, static_cast<Float16*>(to));
  if (dtype == Dtype::kBFloat16) return narrow_values(from, count, static_cast<BFloat16*>(to));
  std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
}

template <typename T>
void average(const T* __restrict fine, int64_t height, int64_t width, T* __restrict coarse) {
  for (int64_t y = 0; y < height; ++y) {
    const T* top = fine + 4 * y * width;
    const T* bottom = top + 2 * width;
    T* to = coarse + y * width;
    for (int64_t x = 0; x < width; ++x) {
      to[x] = math::average(top[2 * x], top[2 * x + 1], bottom[2 * x], bottom[2 * x + 1]);
    }
  }
}

template <typename T>
void spread(const T* __restrict coarse, int64_t height, int64_t width, T* __restrict fine) {
  for (int64_t y = 0; y < 2 * height; ++y) {
    const T* from = coarse + y / 2 * width;
    T* to = fine + 2 * y * width;
    for (int64_t x = 0; x < width; ++x) {
      const T quarter = from[x] * T(0.25);
      to[2 * x] += quarter;
      to[2 * x + 1] += quarter;
    }
  }
}

}  // namespace

extern const GdlKernels kGdlKernels = {{pairs<float>, elements<float>, average<float>, spread<float>},
                                       {pairs<double>, elements<double>, average<double>, spread<double>},
                                       widen,
                                       narrow,
                                       finish_streaming};

}  // namespace ebgan::EBGAN_ISA
