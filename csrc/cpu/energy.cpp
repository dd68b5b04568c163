// The energy family on the CPU. For N elements in one image tensor:
//
//   reconstruction_energy               2N read
//   reconstruction_energy_backward      2N read, 1N written for each gradient
//   energy_loss                         2N read for each pair, 1N written for each gradient
//   energy_loss_backward_               2N read, 1N written for each gradient; nothing where it is filled and
//                                       the incoming gradient is 1
//
// The gradient takes a second sweep over a sample, which reads it from the caches.

#include "cpu/context.h"
#include "cpu/energy_batch.h"

namespace ebgan::energy {
namespace {

struct CpuKernels {
  using Context = CpuContext;

  static void energies(const Context&, const Pairs& pairs, Distance distance) {
    for_each_energy(pairs, distance, [](const Pair&, int64_t, int64_t) {});
  }

  static void energies_and_gradients(const Context&, const Pairs& pairs, const Objective& objective) {
    const double margin = margin_of(objective);
    for_each_energy(pairs, objective.distance, [&](const Pair& pair, int64_t sample, int64_t chunk) {
      const double slope = slope_of(pair, objective.shaping, margin, sample, 1);
      write_gradient(pair, sample, chunk, objective.distance, slope);
    });
  }

  static void gradients(const Context&, const Pairs& pairs, const Objective& objective,
                        const Incoming& incoming, bool of_energies) {
    if (is_done(incoming, 0)) return;
    const double margin = margin_of(objective);
    for (const Pair& pair : pairs.pair) {
      if (!pair.wants_gradient()) continue;
      for_each_chunk(pair, [&](int64_t sample, int64_t chunk) {
        const double scale = incoming_at(incoming, sample);
        const double slope = of_energies ? scale : slope_of(pair, objective.shaping, margin, sample, scale);
        write_gradient(pair, sample, chunk, objective.distance, slope);
      });
    }
  }

  static void mean_loss(const Context&, const Groups& groups, const Objective& objective,
                        const Result& loss) {
    const double margin = margin_of(objective);
    double sum_of_means = 0;
    for (int g = 0; g < groups.count; ++g) {
      const Energies& energies = groups.group[g];
      const double count = static_cast<double>(energies.count);
      double total = 0;
      for (int64_t i = 0; i < energies.count; ++i) {
        const View<1>& values = energies.values;
        const double energy = read_value(values.data, values.dtype, i * values.stride[0]);
        total += math::loss_term(energies.term, objective.shaping, energy, margin);
        if (energies.gradient.data == nullptr) continue;
        const double slope = math::loss_slope(energies.term, objective.shaping, energy, margin);
        write_value(energies.gradient.data, energies.gradient.dtype, i, slope / count);
      }
      sum_of_means += total / count;
    }
    write_value(loss.data, loss.dtype, 0, sum_of_means);
  }
};

}  // namespace
}  // namespace ebgan::energy

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CPU, library) {
  ebgan::energy::implement<ebgan::energy::CpuKernels>(library);
}
