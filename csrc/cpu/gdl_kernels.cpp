// The loops of the gradient-difference family, compiled once per instruction set into namespace EBGAN_ISA.
//
//   pass   for one gradient 2 reads and 1 write of memory for each element. Neighbours come from the caches, and so
//          do the slopes of pairs down and through, 1 read and 1 write each; those along a row stay in registers
//
// Rows are passed in vectors; the last vector of a row has as many lanes as are left. The other lanes read 0, so
// their terms and slopes are 0.

#include "cpu/gdl_kernels.h"

#include <algorithm>
#include <type_traits>

#include "cpu/vector.h"

namespace ebgan::EBGAN_ISA {
namespace {

using math::Exponent;

// The vectors of a row: Inner has a successor, Whole is a last vector of all lanes, Ragged one of the lanes left.
template <typename T>
struct Inner {
  Vector<T> load(const T* from) const { return EBGAN_ISA::load(from); }
  Vector<T> load_but_one(const T* from) const { return load(from); }
  void save(T* to, Vector<T> value) const { store(to, value); }
};

template <typename T>
struct Whole : Inner<T> {
  Vector<T> load_but_one(const T* from) const { return load_first(from, kLanes<T> - 1); }
};

template <typename T>
struct Ragged {
  int left;
  Vector<T> load(const T* from) const { return load_first(from, left); }
  Vector<T> load_but_one(const T* from) const { return load_first(from, left - 1); }
  void save(T* to, Vector<T> value) const { store_first(to, value, left); }
};

// The number of terms that a lane adds before its sum goes on in float64.
constexpr int kLaneTerms = 64;

template <typename T>
class Totals {
 public:
  void add(Vector<T> value) {
    typedef T Part __attribute__((vector_size(kVectorBytes / kParts)));
    Part parts[kParts];
    std::memcpy(parts, &value, sizeof value);
    for (int i = 0; i < kParts; ++i) sums_[i] += __builtin_convertvector(parts[i], Double);
  }
  double sum() const {
    double total = 0;
    for (const Double& part : sums_) {
      for (int i = 0; i < kLanes<double>; ++i) total += part[i];
    }
    return total;
  }

 private:
  // The sums are vectors: of lanes kept one by one GCC 12 makes scalars, which took a third of the time of a pass
  // over small planes.
  static constexpr int kParts = sizeof(double) / sizeof(T);
  Double sums_[kParts] = {};
};

// The slopes of a pair: d pair / d(dP) and d pair / d(dT).
template <typename T>
struct Slopes {
  Vector<T> prediction{};
  Vector<T> target{};
};

// Whether every vector of the gradients may be stored past the caches.
template <typename T>
bool can_stream(const Run<T>& run) {
  const auto aligned = [](const T* to) { return reinterpret_cast<uintptr_t>(to) % kVectorBytes == 0; };
  return run.streamed && run.width % kLanes<T> == 0 && aligned(run.prediction.gradient) &&
         aligned(run.target.gradient);
}

enum class Wanted { kTerms, kPrediction, kBoth };

template <typename T, Exponent exponent, Wanted wanted, bool through_slices>
void pass_rows(const Terms& terms, const Run<T>& run, Sums& sums) {
  using V = Vector<T>;
  constexpr bool kSlopes = wanted != Wanted::kTerms;
  constexpr bool kTarget = wanted == Wanted::kBoth;
  // These are copies, because values behind a reference would be read again after every store.
  const Side<T> prediction = run.prediction;
  const Side<T> target = run.target;
  const int64_t width = run.width;
  const int p_norm = terms.p;
  const bool paired = run.paired, streamed = can_stream(run);
  const T alpha = static_cast<T>(terms.alpha);
  const V element_share = V{} + static_cast<T>(terms.element_share);
  const V along_share = V{} + static_cast<T>(terms.axis_shares[0]);
  const V down_share = V{} + static_cast<T>(terms.axis_shares[1]);
  const V through_share = V{} + static_cast<T>(terms.axis_shares[2]);
  V elements{}, along{}, down{}, through{};
  Totals<T> elements_total, along_total, down_total, through_total;
  int pending = 0;
  const auto flush = [&] {
    elements_total.add(elements);
    along_total.add(along);
    down_total.add(down);
    through_total.add(through);
    elements = along = down = through = V{};
    pending = 0;
  };

  int64_t y = run.first;
  for (int64_t row = 0; row < run.rows; ++row, y = y + 1 == run.height ? 0 : y + 1) {
    if (kSlopes && y == 0) {
      std::fill_n(prediction.down, width, T(0));
      if (kTarget) std::fill_n(target.down, width, T(0));
    }
    const bool below = y + 1 < run.height;
    Slopes<T> last;
    const auto column = [&](int64_t x, const auto lanes) __attribute__((always_inline)) {
      const int64_t i = row * width + x;
      const V p = lanes.load(prediction.values + i);
      const V t = lanes.load(target.values + i);
      V grad_prediction{}, grad_target{};
      const auto pair = [&](V prediction_step, V target_step, V& sum_of_pairs) {
        const V difference = math::step_difference(prediction_step, target_step);
        sum_of_pairs += math::power_term<exponent>(difference, alpha);
        Slopes<T> slopes;
        if constexpr (kSlopes) {
          slopes.prediction = math::step_slope<exponent>(difference, prediction_step, alpha);
        }
        if constexpr (kTarget) {
          const V target_difference = math::step_difference(target_step, prediction_step);
          slopes.target = math::step_slope<exponent>(target_difference, target_step, alpha);
        }
        return slopes;
      };
      const auto collect = [&](V share, const Slopes<T>& before, const Slopes<T>& after) {
        if constexpr (kSlopes) grad_prediction += share * (before.prediction - after.prediction);
        if constexpr (kTarget) grad_target += share * (before.target - after.target);
      };
      // The slopes of the pair before are in memory; those of the pair after replace them.
      const auto across = [&](V share, V& sum_of_pairs, bool is_paired, const T* next_prediction,
                              const T* next_target, T* prediction_slopes, T* target_slopes) {
        Slopes<T> before, after;
        if constexpr (kSlopes) before.prediction = lanes.load(prediction_slopes);
        if constexpr (kTarget) before.target = lanes.load(target_slopes);
        if (is_paired) {
          after = pair(lanes.load(next_prediction + i) - p, lanes.load(next_target + i) - t, sum_of_pairs);
          if constexpr (kSlopes) lanes.save(prediction_slopes, after.prediction);
          if constexpr (kTarget) lanes.save(target_slopes, after.target);
        }
        collect(share, before, after);
      };
      const auto element = [&]<Exponent power>() {
        const V residual = p - t;
        elements += math::power_term<power>(residual, alpha);
        if constexpr (kSlopes) grad_prediction = element_share * math::power_slope<power>(residual, alpha);
        if constexpr (kTarget) grad_target = -grad_prediction;
      };
      if (p_norm == 1) element.template operator()<Exponent::kOne>();
      if (p_norm == 2) element.template operator()<Exponent::kTwo>();
      if (paired) {
        const T* from = prediction.values + i;
        const T* target_from = target.values + i;
        const Slopes<T> after =
            pair(lanes.load_but_one(from + 1) - lanes.load_but_one(from),
                 lanes.load_but_one(target_from + 1) - lanes.load_but_one(target_from), along);
        collect(along_share, {shifted(last.prediction, after.prediction), shifted(last.target, after.target)},
                after);
        last = after;
        across(down_share, down, below, prediction.values + width, target.values + width, prediction.down + x,
               target.down + x);
      }
      if constexpr (through_slices) {
        across(through_share, through, prediction.beyond != nullptr, prediction.beyond, target.beyond,
               prediction.through + i, target.through + i);
      }
      const auto write = [&](T* to, V value) {
        if (streamed) {
          stream(to, value);
        } else {
          lanes.save(to, value);
        }
      };
      if constexpr (kSlopes) write(prediction.gradient + i, grad_prediction);
      if constexpr (kTarget) write(target.gradient + i, grad_target);
      if (++pending == kLaneTerms) flush();
    };
    int64_t x = 0;
    for (; x + kLanes<T> < width; x += kLanes<T>) column(x, Inner<T>{});
    const int left = static_cast<int>(width - x);
    if (left == kLanes<T>) {
      column(x, Whole<T>{});
    } else {
      column(x, Ragged<T>{left});
    }
  }
  flush();
  sums.elements += elements_total.sum();
  sums.axes[0] += along_total.sum();
  sums.axes[1] += down_total.sum();
  sums.axes[2] += through_total.sum();
}

template <typename T, Exponent exponent, bool through_slices>
void pass_wanted(const Terms& terms, const Run<T>& run, Sums& sums) {
  if (run.target.gradient) {
    return pass_rows<T, exponent, Wanted::kBoth, through_slices>(terms, run, sums);
  }
  if (run.prediction.gradient) {
    return pass_rows<T, exponent, Wanted::kPrediction, through_slices>(terms, run, sums);
  }
  pass_rows<T, exponent, Wanted::kTerms, through_slices>(terms, run, sums);
}

template <typename T, Exponent exponent>
void pass_of(const Terms& terms, const Run<T>& run, Sums& sums) {
  run.through ? pass_wanted<T, exponent, true>(terms, run, sums)
              : pass_wanted<T, exponent, false>(terms, run, sums);
}

template <typename T>
void pass(const Terms& terms, const Run<T>& run, Sums& sums) {
  switch (math::exponent_of(terms.alpha)) {
    case Exponent::kOne:
      return pass_of<T, Exponent::kOne>(terms, run, sums);
    case Exponent::kTwo:
      return pass_of<T, Exponent::kTwo>(terms, run, sums);
    default:
      return pass_of<T, Exponent::kAny>(terms, run, sums);
  }
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

extern const GdlKernels kGdlKernels = {{pass<float>, average<float>, spread<float>},
                                       {pass<double>, average<double>, spread<double>},
                                       widen,
                                       narrow,
                                       finish_streaming};

}  // namespace ebgan::EBGAN_ISA
