// The loops of the ladder family, compiled once per instruction set into namespace EBGAN_ISA.
//
//   combine             2 reads, 1 write for each element
//   combine_backward    3 reads, 1 write for each gradient wanted
//   cost                3 reads
//   cost_and_gradients  3 reads, 1 write for each gradient wanted
//
// A lane holds a unit, whose parameters and sums over a tile's rows stay in registers. The 16 elements of a vector
// take cost_and_gradients 21 ns, and took 23 ns where sums were stored every 8 rows (one core of an Intel Xeon with
// AVX-512, 2026-11-25). One division for both sigmoids instead of two changed nothing.

#include "cpu/ladder_kernels.h"

#include <type_traits>

#include "cpu/ladder_lanes.h"

namespace ebgan::EBGAN_ISA {
namespace {

using math::Standard;

template <typename T>
inline double lane_sum(Vector<T> value) {
  double total = 0;
  for (int i = 0; i < kLanes<T>; ++i) total += static_cast<double>(value[i]);
  return total;
}

// Whether all stores of a tensor may be streamed: a streamed store that does not write a whole cache line costs
// more than it saves.
template <typename T>
inline bool may_stream(const ResultRows& rows) {
  const bool aligned = rows.dtype == Dtype::kFloat32 && rows.stride % kLanes<T> == 0 &&
                       reinterpret_cast<uintptr_t>(rows.data) % kVectorBytes == 0;
  return kVectorBytes == 64 && (aligned || !rows.data);
}

// Calls body(lanes) for all units of a tile.
template <typename T, bool mixed, typename Body>
inline void for_each_lanes(const LadderTile& tile, const Body& body) {
  int64_t first = 0;
  for (; first + kLanes<T> <= tile.units; first += kLanes<T>) {
    body(Lanes<T, mixed, true>{first, kLanes<T>});
  }
  if (first < tile.units) body(Lanes<T, mixed, false>{first, tile.units - first});
}

template <typename T, int count>
inline void store_sums(const LadderTile& tile, const Vector<T> (&sums)[count], int64_t first, int64_t lanes) {
  T* to = static_cast<T*>(tile.sums) + first;
  for (int k = 0; k < count; ++k) store_lanes<T, T>(to + k * tile.sum_stride, sums[k], lanes);
}

template <typename T, bool mixed>
void combine_tile(const LadderTile& tile) {
  for_each_lanes<T, mixed>(tile, [&](const auto& lanes) {
    const Combinator<Vector<T>> unit = lanes.combinator(tile.parameters);
    for (int64_t n = 0; n < tile.rows; ++n) {
      const auto mixture = math::mixture<T>(unit, lanes.load_from(tile.u, n));
      lanes.store_to(tile.z_hat, n, mixture.denoised(lanes.load_from(tile.z, n)), false);
    }
  });
}

template <typename T, bool mixed>
void combine_backward_tile(const LadderTile& tile) {
  for_each_lanes<T, mixed>(tile, [&](const auto& lanes) {
    const Combinator<Vector<T>> unit = lanes.combinator(tile.parameters);
    Vector<T> sums[kCombinatorParameters] = {};
    for (int64_t n = 0; n < tile.rows; ++n) {
      const Vector<T> z = lanes.load_from(tile.z, n);
      const Vector<T> u = lanes.load_from(tile.u, n);
      const auto mixture = math::mixture<T>(unit, u);
      const auto gradient =
          math::combinator_gradient(unit, mixture, z, u, lanes.load_from(tile.incoming, n), sums);
      lanes.store_to(tile.grad_z, n, gradient.z, false);
      lanes.store_to(tile.grad_u, n, gradient.u, false);
    }
    store_sums<T>(tile, sums, lanes.first, lanes.count());
  });
}

template <typename T, bool mixed>
double cost_tile(const LadderTile& tile) {
  double total = 0;
  for_each_lanes<T, mixed>(tile, [&](const auto& lanes) {
    const Combinator<Vector<T>> unit = lanes.combinator(tile.parameters);
    const Standard<Vector<T>> standard = {lanes.load_from(tile.mean, 0),
                                          1 / lanes.load_from(tile.std, 0, T(1))};
    Vector<T> squares{};
    for (int64_t n = 0; n < tile.rows; ++n) {
      const auto mixture = math::mixture<T>(unit, lanes.load_from(tile.u, n));
      const Vector<T> y = math::standardised(standard, mixture.denoised(lanes.load_from(tile.z, n)));
      const Vector<T> r = lanes.load_from(tile.z_clean, n) - y;
      squares += r * r;
    }
    total += lane_sum<T>(squares);
  });
  return total;
}

template <typename T, bool mixed>
double cost_and_gradients_tile(const LadderTile& tile) {
  const bool streamed = std::is_same_v<T, float> && tile.streamed && tile.units % kLanes<T> == 0 &&
                        may_stream<T>(tile.grad_z_clean) && may_stream<T>(tile.grad_z) &&
                        may_stream<T>(tile.grad_u);
  const T twice_share = static_cast<T>(2 * tile.share);
  double total = 0;
  for_each_lanes<T, mixed>(tile, [&](const auto& lanes) {
    const Combinator<Vector<T>> unit = lanes.combinator(tile.parameters);
    const Standard<Vector<T>> standard = {lanes.load_from(tile.mean, 0),
                                          1 / lanes.load_from(tile.std, 0, T(1))};
    Vector<T> sums[kUnitSums] = {};
    Vector<T> squares{};
    for (int64_t n = 0; n < tile.rows; ++n) {
      const Vector<T> z = lanes.load_from(tile.z, n);
      const Vector<T> u = lanes.load_from(tile.u, n);
      const auto mixture = math::mixture<T>(unit, u);
      const Vector<T> y = math::standardised(standard, mixture.denoised(z));
      const Vector<T> r = lanes.load_from(tile.z_clean, n) - y;
      lanes.prefetch({&tile.z, &tile.u, &tile.z_clean}, n);
      squares += r * r;
      const Vector<T> grad_z_clean = twice_share * r;
      const Vector<T> g = -grad_z_clean * standard.inverse_std;
      const auto gradient = math::combinator_gradient(unit, mixture, z, u, g, sums);
      sums[kCombinatorParameters] -= g;
      sums[kCombinatorParameters + 1] -= g * y;
      lanes.store_to(tile.grad_z_clean, n, grad_z_clean, streamed);
      lanes.store_to(tile.grad_z, n, gradient.z, streamed);
      lanes.store_to(tile.grad_u, n, gradient.u, streamed);
    }
    store_sums<T>(tile, sums, lanes.first, lanes.count());
    total += lane_sum<T>(squares);
  });
  if (streamed) finish_streaming();
  return total;
}

// Calls body.template operator()<T, mixed>() for the types of the tile.
template <typename Body>
auto with_types_of(const LadderTile& tile, const Body& body) {
  return with_types(
      {&tile.z, &tile.z_clean, &tile.u, &tile.incoming, &tile.parameters, &tile.mean, &tile.std}, body);
}

void combine(const LadderTile& tile) {
  with_types_of(tile, [&]<typename T, bool mixed>() { combine_tile<T, mixed>(tile); });
}

void combine_backward(const LadderTile& tile) {
  with_types_of(tile, [&]<typename T, bool mixed>() { combine_backward_tile<T, mixed>(tile); });
}

double cost(const LadderTile& tile) {
  return with_types_of(tile, [&]<typename T, bool mixed>() { return cost_tile<T, mixed>(tile); });
}

double cost_and_gradients(const LadderTile& tile) {
  return with_types_of(tile,
                       [&]<typename T, bool mixed>() { return cost_and_gradients_tile<T, mixed>(tile); });
}

}  // namespace

extern const LadderKernels kLadderKernels = {combine, combine_backward, cost, cost_and_gradients};

}  // namespace ebgan::EBGAN_ISA
