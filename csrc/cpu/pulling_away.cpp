// The operator between the two matrix products of the pulling-away term on the CPU.
//
//   pulling_away_weights   reads the Gram matrix once, writes the weights once
//
// The loops are plain, in float64, and compiled for the baseline instructions: at (64, 1024) they take 5 us of a
// step's 430, at (256, 8192) 41 of 34,000 us (one thread of an AMD EPYC, 2026-11-22). Loops for each instruction
// set would gain nothing.

#include "operators/pulling_away.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cpu/context.h"
#include "stable/parallel.h"

namespace ebgan::pulling_away {
namespace {

// The sum of squared cosines of one row over [begin, end). It keeps several partial sums, so that an addition need
// not wait for the one before.
template <typename T>
double squares(const T* row, const double* inverse_norms, double inverse_norm, int64_t begin, int64_t end) {
  constexpr int kLanes = 8;
  double lanes[kLanes] = {};
  const auto add = [&](int64_t j, int lane) {
    const double c = math::cosine<double>(row[j], inverse_norm, inverse_norms[j]);
    lanes[lane] += c * c;
  };
  int64_t j = begin;
  for (; j + kLanes <= end; j += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) add(j + lane, lane);
  }
  for (; j < end; ++j) add(j, 0);
  double total = 0;
  for (const double lane : lanes) total += lane;
  return total;
}

template <typename T>
double loss_and_weights(const T* gram, T* weights, int64_t rows) {
  constexpr int64_t kGrainElements = 16384;
  const double share = math::pair_share<double>(rows);
  std::vector<double> inverse_norms(static_cast<size_t>(rows));
  for (int64_t i = 0; i < rows; ++i) inverse_norms[i] = math::inverse_norm<double>(gram[i * rows + i]);
  std::vector<double> row_squares(static_cast<size_t>(rows));
  parallel_for(rows, std::max<int64_t>(1, kGrainElements / rows), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* row = gram + i * rows;
      const double own = inverse_norms[i];
      const double total = squares(row, inverse_norms.data(), own, 0, i) +
                           squares(row, inverse_norms.data(), own, i + 1, rows);
      row_squares[i] = total;
      if (weights == nullptr) continue;
      T* to = weights + i * rows;
      for (int64_t j = 0; j < rows; ++j) {
        const double other = inverse_norms[j];
        const double cosine = math::cosine<double>(row[j], own, other);
        to[j] = static_cast<T>(math::pair_weight(share, cosine, own, other));
      }
      to[i] = static_cast<T>(math::own_weight(share, total, own));
    }
  });
  double loss = 0;
  for (const double total : row_squares) loss += total;  // in row order, whatever the number of threads
  return loss * share;
}

struct CpuKernels {
  using Context = CpuContext;

  static void loss_and_weights(const Context&, const Source& gram, int64_t rows, const Result& weights,
                               const Result& loss) {
    const auto computed = [&]<typename T>() {
      return pulling_away::loss_and_weights(static_cast<const T*>(gram.data), static_cast<T*>(weights.data),
                                            rows);
    };
    const bool precise = gram.dtype == Dtype::kFloat64;
    const double value = precise ? computed.operator()<double>() : computed.operator()<float>();
    write_value(loss.data, loss.dtype, 0, value);
  }
};

}  // namespace
}  // namespace ebgan::pulling_away

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CPU, library) {
  ebgan::pulling_away::implement<ebgan::pulling_away::CpuKernels>(library);
}
