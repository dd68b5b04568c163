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
#include "cpu/values.h"
#include "stable/parallel.h"

namespace ebgan {

using math::Distance;
using math::Shaping;
using math::Term;

// A chunk of 16,384 elements of a pair is 128 KiB of float32: with its gradient it stays in a second-level cache.
constexpr int64_t kChunk = 16384;

// A reconstruction, its target and their packed gradients, null where not wanted.
struct Pair {
  Batch reconstruction;
  Batch target;
  void* grad_reconstruction = nullptr;
  void* grad_target = nullptr;
  bool streamed = false;

  int64_t samples() const { return reconstruction.samples; }
  int64_t elements() const { return reconstruction.elements; }
  int64_t chunks() const { return (elements() + kChunk - 1) / kChunk; }
  bool wants_gradient() const { return grad_reconstruction || grad_target; }

  Span span(int64_t sample, int64_t chunk) const {
    const int64_t first = chunk * kChunk;
    const int64_t packed = sample * elements() + first;
    return {offset(reconstruction.data, reconstruction.dtype, sample * reconstruction.sample_stride + first),
            offset(target.data, target.dtype, sample * target.sample_stride + first),
            grad_reconstruction ? offset(grad_reconstruction, reconstruction.dtype, packed) : nullptr,
            grad_target ? offset(grad_target, target.dtype, packed) : nullptr,
            std::min(kChunk, elements() - first),
            streamed};
  }
  int64_t gradient_bytes() const {
    const int64_t count = samples() * elements();
    return (grad_reconstruction ? count * element_size(reconstruction.dtype) : 0) +
           (grad_target ? count * element_size(target.dtype) : 0);
  }
};

inline double sum_of_sample(const Pair& pair, int64_t sample, Distance distance) {
  const EnergyKernels& kernels = energy_kernels();
  double total = 0;
  for (int64_t chunk = 0; chunk < pair.chunks(); ++chunk) {
    total += kernels.sum(distance, pair.reconstruction.dtype, pair.target.dtype, pair.span(sample, chunk));
  }
  return total;
}

inline void write_gradient(const Pair& pair, int64_t sample, int64_t chunk, Distance distance, double energy,
                           double slope) {
  const Span span = pair.span(sample, chunk);
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
  const double coefficient = slope * math::direction_scale(distance, energy, pair.elements());
  energy_kernels().gradient(distance, pair.reconstruction.dtype, pair.target.dtype, span, coefficient);
}

// A pair's term of a loss: the mean over its samples of f(E), or of f([margin - E]^+).
struct LossTerm {
  Pair pair;
  Term term;
  double margin;
  double* energies;

  // The derivative of scale * loss by a sample's energy. A fake sample beyond the margin gets 0 whatever the
  // scale, as from PyTorch's relu.
  double slope(Shaping shaping, int64_t sample, double scale) const {
    const double slope = math::loss_slope(term, shaping, energies[sample], margin);
    if (term == Term::kHinge && slope == 0) return 0;
    return scale * slope / static_cast<double>(pair.samples());
  }

  double mean(Shaping shaping) const {
    double total = 0;
    for (int64_t i = 0; i < pair.samples(); ++i) total += math::loss_term(term, shaping, energies[i], margin);
    return total / static_cast<double>(pair.samples());
  }
};

// Calls body(term, sample) for the samples of every term; for_each_chunk calls body(sample, chunk) for one term.
template <typename Body>
void for_each_sample(const std::vector<LossTerm>& terms, const Body& body) {
  int64_t count = 0;
  int64_t elements = 1;
  for (const LossTerm& term : terms) {
    count += term.pair.samples();
    elements = std::max(elements, term.pair.elements());
  }
  parallel_for(count, std::max<int64_t>(1, kGrain / elements), [&](int64_t begin, int64_t end) {
    int64_t first = 0;
    for (const LossTerm& term : terms) {
      const int64_t last = first + term.pair.samples();
      for (int64_t i = std::max(begin, first); i < std::min(end, last); ++i) body(term, i - first);
      first = last;
    }
  });
}

template <typename Body>
void for_each_chunk(const LossTerm& term, const Body& body) {
  const int64_t chunks = term.pair.chunks();
  const int64_t grain = kGrain / std::max<int64_t>(1, std::min(kChunk, term.pair.elements()));
  parallel_for(term.pair.samples() * chunks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i / chunks, i % chunks);
  });
}

inline bool fewer_samples_than_threads(const std::vector<LossTerm>& terms) {
  int64_t samples = 0;
  int64_t chunks = 0;
  for (const LossTerm& term : terms) {
    samples += term.pair.samples();
    chunks += term.pair.samples() * term.pair.chunks();
  }
  return samples < thread_count() && chunks > samples;
}

// Computes the energies of every term and, where wanted, the gradients of the loss.
inline void energies_and_gradients(const std::vector<LossTerm>& terms, Distance distance, Shaping shaping) {
  const auto energy_of = [&](const LossTerm& term, double sum) {
    // The energy is rounded to the dtype that is returned, so that a later backward pass from the saved energy
    // gives the same bits.
    const double energy = math::energy_of_sum(distance, sum, term.pair.elements());
    return term.pair.reconstruction.dtype == Dtype::kFloat64
               ? energy
               : static_cast<double>(static_cast<float>(energy));
  };
  const auto gradient_of = [&](const LossTerm& term, int64_t sample, int64_t chunk) {
    const double slope = term.slope(shaping, sample, 1.0);
    write_gradient(term.pair, sample, chunk, distance, term.energies[sample], slope);
  };
  if (!fewer_samples_than_threads(terms)) {
    for_each_sample(terms, [&](const LossTerm& term, int64_t sample) {
      term.energies[sample] = energy_of(term, sum_of_sample(term.pair, sample, distance));
      if (!term.pair.wants_gradient()) return;
      for (int64_t chunk = 0; chunk < term.pair.chunks(); ++chunk) gradient_of(term, sample, chunk);
    });
    return;
  }
  for (const LossTerm& term : terms) {
    const int64_t chunks = term.pair.chunks();
    std::vector<double> sums(static_cast<size_t>(term.pair.samples() * chunks));
    for_each_chunk(term, [&](int64_t sample, int64_t chunk) {
      sums[sample * chunks + chunk] = energy_kernels().sum(
          distance, term.pair.reconstruction.dtype, term.pair.target.dtype, term.pair.span(sample, chunk));
    });
    for (int64_t sample = 0; sample < term.pair.samples(); ++sample) {
      double total = 0;
      for (int64_t chunk = 0; chunk < chunks; ++chunk) total += sums[sample * chunks + chunk];
      term.energies[sample] = energy_of(term, total);
    }
    if (!term.pair.wants_gradient()) continue;
    for_each_chunk(term, [&](int64_t sample, int64_t chunk) { gradient_of(term, sample, chunk); });
  }
}

}  // namespace ebgan
