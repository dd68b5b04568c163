// A vector of units, one in each lane, in the rows of the ladder family's tensors.

#pragma once

#include <initializer_list>
#include <type_traits>

#include "cpu/ladder_kernels.h"
#include "cpu/vector.h"

namespace ebgan::EBGAN_ISA {

using math::Combinator;
using math::kCombinatorParameters;

template <typename Element, typename T>
inline Vector<T> load_lanes(const Element* from, int64_t count, T fill) {
  if (count == kLanes<T>) return load(from);
  Vector<T> value = Vector<T>{} + fill;
  for (int64_t i = 0; i < count; ++i) value[i] = load_one(from + i);
  return value;
}

template <typename Element, typename T>
inline void store_lanes(Element* to, Vector<T> value, int64_t count) {
  if (count == kLanes<T>) return store(to, value);
  for (int64_t i = 0; i < count; ++i) store_one(to + i, static_cast<T>(value[i]));
}

// A vector of units of a tile from unit `first` on, whole or with the units that are left. Everything is computed in
// T. With `mixed` each tensor may have a type of its own, which is looked up at every access.
template <typename T, bool mixed, bool whole>
struct Lanes {
  int64_t first;
  int64_t left;

  int64_t count() const { return whole ? kLanes<T> : left; }

  // Loads a row; lanes behind the last unit hold `fill`.
  Vector<T> load_from(const Rows& rows, int64_t row, T fill = T(0)) const {
    const int64_t at = row * rows.stride + first;
    if constexpr (mixed) {
      if (rows.dtype == Dtype::kFloat16) {
        return load_lanes<Float16, T>(static_cast<const Float16*>(rows.data) + at, count(), fill);
      }
      if (rows.dtype == Dtype::kBFloat16) {
        return load_lanes<BFloat16, T>(static_cast<const BFloat16*>(rows.data) + at, count(), fill);
      }
    }
    return load_lanes<T, T>(static_cast<const T*>(rows.data) + at, count(), fill);
  }

  // Prefetches what the next lanes will read. Hardware does not follow a column of rows as a stream: all gradients at
  // (1500, 784) take 1.9 ms with this and 2.4 ms without, on one core.
  void prefetch(std::initializer_list<const Rows*> inputs, int64_t row) const {
    if constexpr (!mixed) {
      for (const Rows* rows : inputs) {
        __builtin_prefetch(static_cast<const T*>(rows->data) + row * rows->stride + first + kLanes<T>);
      }
    }
  }

  void store_to(const ResultRows& rows, int64_t row, Vector<T> value, bool streamed) const {
    if (!rows.data) return;
    const int64_t at = row * rows.stride + first;
    if constexpr (mixed) {
      if (rows.dtype == Dtype::kFloat16) {
        return store_lanes<Float16, T>(static_cast<Float16*>(rows.data) + at, value, count());
      }
      if (rows.dtype == Dtype::kBFloat16) {
        return store_lanes<BFloat16, T>(static_cast<BFloat16*>(rows.data) + at, value, count());
      }
    }
    T* const to = static_cast<T*>(rows.data) + at;
    if constexpr (std::is_same_v<T, float>) {
      if (streamed) return stream(to, value);
    }
    store_lanes<T, T>(to, value, count());
  }

  Combinator<Vector<T>> combinator(const Rows& parameters) const {
    Combinator<Vector<T>> unit;
    for (int k = 0; k < kCombinatorParameters; ++k) unit.a[k] = load_from(parameters, k);
    return unit;
  }
};

// Calls body.template operator()<T, mixed>() for the types of tensors of which the first is always there; those
// without data do not count.
template <typename Body>
inline auto with_types(std::initializer_list<const Rows*> tensors, const Body& body) {
  if ((*tensors.begin())->dtype == Dtype::kFloat64) return body.template operator()<double, false>();
  for (const Rows* rows : tensors) {
    if (rows->data && rows->dtype != Dtype::kFloat32) return body.template operator()<float, true>();
  }
  return body.template operator()<float, false>();
}

}  // namespace ebgan::EBGAN_ISA
