// Batches of the energy family on the CPU, and how samples and their chunks are shared among threads.
//
// A sample is summed in chunks of fixed length whatever the number of threads, each chunk to float64, and the
// chunks are added in order, so the same input gives the same bits. Where there are fewer samples than threads,
// the threads share the chunks instead.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "cpu/energy_kernels.h"
#include "cpu/pages.h"
#include "cpu/values.h"
#include "operators/energy.h"
#include "stable/parallel.h"

namespace ebgan::energy {

// A chunk of 16,384 elements of a pair is 128 KiB of float32: with its gradient it stays in a second-level cache.
constexpr int64_t kChunk = 16384;

inline int64_t chunks_of(const Pair& pair) { return (pair.elements + kChunk - 1) / kChunk; }

// Whether so much is written that it leaves the caches before it is read.
inline bool is_streamed(const Pair& pair) {
  const auto bytes = [&](const Result& gradient) {
    return gradient.data ? pair.samples * pair.elements * element_size(gradient.dtype) : 0;
  };
  return bytes(pair.grad_reconstruction) + bytes(pair.grad_target) > kStreamedBytes;
}

inline Span span_of(const Pair& pair, int64_t sample, int64_t chunk) {
  const int64_t first = chunk * kChunk;
  const auto of_sample = [&](const View<1>& images) {
    return offset(images.data, images.dtype, sample * images.stride[0] + first);
  };
  const auto of_gradient = [&](const Result& gradient) {
    return offset(gradient.data, gradient.dtype, sample * pair.elements + first);
  };
  Span span;
  span.reconstruction = of_sample(pair.reconstruction);
  span.target = of_sample(pair.target);
  span.grad_reconstruction = of_gradient(pair.grad_reconstruction);
  span.grad_target = of_gradient(pair.grad_target);
  span.elements = std::min(kChunk, pair.elements - first);
  span.streamed = is_streamed(pair);
  return span;
}

inline double sum_of_chunk(const Pair& pair, int64_t sample, int64_t chunk, Distance distance) {
  return energy_kernels().sum(distance, pair.reconstruction.dtype, pair.target.dtype,
                              span_of(pair, sample, chunk));
}

// Writes the energy of a sample, rounded to the dtype that is returned: a later backward pass from the saved energy
// gives the same bits.
inline void write_energy(const Pair& pair, int64_t sample, Distance distance, double sum) {
  const double energy = math::energy_of_sum(distance, sum, pair.elements);
  write_value(pair.energy.data, pair.energy.dtype, sample, energy);
}

inline double energy_at(const Pair& pair, int64_t sample) {
  return read_value(pair.energy.data, pair.energy.dtype, sample);
}

inline double margin_of(const Objective& objective) {
  return objective.margin.data ? read_value(objective.margin.data, objective.margin.dtype, 0) : 0;
}

// Writes the gradients of a chunk; `slope` is the derivative of what is differentiated by the sample's energy.
inline void write_gradient(const Pair& pair, int64_t sample, int64_t chunk, Distance distance, double slope) {
  const Span span = span_of(pair, sample, chunk);
  const double energy = energy_at(pair, sample);
  if (slope == 0 && std::isfinite(energy)) {
    // The hinge is inactive, and nothing need be read. (For an infinite or NaN energy 0 * residual is NaN, as in
    // PyTorch.)
    const auto clear = [&](void* gradient, Dtype dtype) {
      if (gradient) std::memset(gradient, 0, static_cast<size_t>(span.elements * element_size(dtype)));
    };
    clear(span.grad_reconstruction, pair.reconstruction.dtype);
    clear(span.grad_target, pair.target.dtype);
    return;
  }
  const double coefficient = slope * math::direction_scale(distance, energy, pair.elements);
  energy_kernels().gradient(distance, pair.reconstruction.dtype, pair.target.dtype, span, coefficient);
}

// The derivative of scale * loss by a sample's energy. A fake sample beyond the margin gets 0 whatever the scale, as
// from PyTorch's relu.
inline double slope_of(const Pair& pair, Shaping shaping, double margin, int64_t sample, double scale) {
  const double slope = math::loss_slope(pair.term, shaping, energy_at(pair, sample), margin);
  if (pair.term == Term::kHinge && slope == 0) return 0;
  return scale * slope / static_cast<double>(pair.samples);
}

// Calls body(pair, sample) for the samples of both pairs; for_each_chunk calls body(sample, chunk) for one pair.
template <typename Body>
void for_each_sample(const Pairs& pairs, const Body& body) {
  const int64_t grain = kGrain / std::max<int64_t>(1, pairs.elements());
  parallel_for(pairs.samples(), std::max<int64_t>(1, grain), [&](int64_t begin, int64_t end) {
    int64_t first = 0;
    for (const Pair& pair : pairs.pair) {
      const int64_t last = first + pair.samples;
      for (int64_t i = std::max(begin, first); i < std::min(end, last); ++i) body(pair, i - first);
      first = last;
    }
  });
}

template <typename Body>
void for_each_chunk(const Pair& pair, const Body& body) {
  const int64_t chunks = chunks_of(pair);
  const int64_t grain = kGrain / std::max<int64_t>(1, std::min(kChunk, pair.elements));
  parallel_for(pair.samples * chunks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i / chunks, i % chunks);
  });
}

inline bool fewer_samples_than_threads(const Pairs& pairs) {
  const int64_t chunks =
      pairs.pair[0].samples * chunks_of(pairs.pair[0]) + pairs.pair[1].samples * chunks_of(pairs.pair[1]);
  return pairs.samples() < thread_count() && chunks > pairs.samples();
}

// Writes the energies of both pairs. gradient_of(pair, sample, chunk) is called for every chunk of a pair that wants
// gradients, when the energy of its sample is known.
template <typename GradientOf>
void for_each_energy(const Pairs& pairs, Distance distance, const GradientOf& gradient_of) {
  if (!fewer_samples_than_threads(pairs)) {
    for_each_sample(pairs, [&](const Pair& pair, int64_t sample) {
      const int64_t chunks = chunks_of(pair);
      double total = 0;
      for (int64_t chunk = 0; chunk < chunks; ++chunk) total += sum_of_chunk(pair, sample, chunk, distance);
      write_energy(pair, sample, distance, total);
      if (!pair.wants_gradient()) return;
      for (int64_t chunk = 0; chunk < chunks; ++chunk) gradient_of(pair, sample, chunk);
    });
    return;
  }
  for (const Pair& pair : pairs.pair) {
    const int64_t chunks = chunks_of(pair);
    std::vector<double> sums(static_cast<size_t>(pair.samples * chunks));
    for_each_chunk(pair, [&](int64_t sample, int64_t chunk) {
      sums[sample * chunks + chunk] = sum_of_chunk(pair, sample, chunk, distance);
    });
    for (int64_t sample = 0; sample < pair.samples; ++sample) {
      double total = 0;
      for (int64_t chunk = 0; chunk < chunks; ++chunk) total += sums[sample * chunks + chunk];
      write_energy(pair, sample, distance, total);
    }
    if (!pair.wants_gradient()) continue;
    for_each_chunk(pair, [&](int64_t sample, int64_t chunk) { gradient_of(pair, sample, chunk); });
  }
}

}  // namespace ebgan::energy
