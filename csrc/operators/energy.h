// The operators of the energy family for either device: what they are given, what they allocate and return. A device's
// Kernels compute. Schemas and layouts: ebgan_kernels/native/energy.py; formulas: math/energy.h.
//
//   energies                  the energy of every sample
//   energies_and_gradients    these, and the gradients of the loss that are wanted
//   gradients                 gradients from energies
//   mean_loss                 the loss of energies, and its gradients where they are wanted

#pragma once

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "math/energy.h"
#include "stable/tensor.h"

namespace ebgan::energy {

using math::Distance;
using math::Shaping;
using math::Term;

// Reconstructions, their targets and the results computed from them. The stride is that from sample to sample.
struct Pair {
  View<1> reconstruction;
  View<1> target;
  int64_t samples = 0;
  int64_t elements = 0;  // of a sample
  Term term = Term::kEnergy;
  Result grad_reconstruction;
  Result grad_target;
  Result energy;  // in the accumulation dtype

  EBGAN_HOST_DEVICE bool wants_gradient() const {
    return grad_reconstruction.data != nullptr || grad_target.data != nullptr;
  }
};

// The real and the fake pair of a discriminator loss; elsewhere the second is empty.
struct Pairs {
  Pair pair[2] = {};

  int64_t samples() const { return pair[0].samples + pair[1].samples; }
  int64_t elements() const { return std::max(pair[0].elements, pair[1].elements); }
  bool wants_gradient() const { return pair[0].wants_gradient() || pair[1].wants_gradient(); }
};

struct Objective {
  Distance distance = Distance::kL2;
  Shaping shaping = Shaping::kIdentity;
  Source margin;  // one value in the device's memory; no data where no term is a hinge
};

// The energies of one batch, whose terms are averaged, and their gradients for an incoming gradient of 1.
struct Energies {
  View<1> values;
  int64_t count = 0;
  Term term = Term::kEnergy;
  Result gradient;
};

// The batches whose means make up a loss; elsewhere than in a discriminator's the second is empty.
struct Groups {
  Energies group[2] = {};
  int count = 0;
};

inline View<1> samples_of(const Tensor& tensor) { return {source_of(tensor), {tensor.stride(0)}}; }

inline Pair pair_of(const Tensor& reconstruction, const Tensor& target, const Result& energy) {
  Pair pair;
  pair.reconstruction = samples_of(reconstruction);
  pair.target = samples_of(target);
  pair.samples = target.size(0);
  pair.elements = pair.samples == 0 ? 0 : target.numel() / pair.samples;
  pair.energy = energy;
  return pair;
}

// The pairs of (reconstruction, target, ...), whose energies are given, with the gradients of each image.
inline Pairs pairs_of(const std::vector<Tensor>& images, const std::vector<Result>& energies,
                      const std::vector<Result>& gradients) {
  Pairs pairs;
  for (size_t i = 0; i < energies.size(); ++i) {
    Pair& pair = pairs.pair[i];
    pair = pair_of(images[2 * i], images[2 * i + 1], energies[i]);
    pair.term = i == 0 ? Term::kEnergy : Term::kHinge;
    pair.grad_reconstruction = gradients[2 * i];
    pair.grad_target = gradients[2 * i + 1];
  }
  return pairs;
}

inline Objective objective_of(int64_t distance, int64_t shaping, const std::optional<Tensor>& margin) {
  return {static_cast<Distance>(distance), static_cast<Shaping>(shaping), source_of(margin)};
}

template <typename Context>
std::vector<Result> energies_of(const Context& context, const std::vector<Tensor>& energies) {
  std::vector<Result> results;
  for (const Tensor& energy : energies) results.push_back(result_of(context, energy));
  return results;
}

inline Tensor empty_energy(const Tensor& target) {
  return empty_vector(target.size(0), accumulation_dtype(dtype_of(target)), target);
}

// --- operators -----------------------------------------------------------------------------------

template <typename Kernels>
Tensor reconstruction_energy(const Tensor& reconstruction, const Tensor& target, int64_t distance) {
  const typename Kernels::Context context(target);
  Tensor energy = empty_energy(target);
  Pairs pairs;
  pairs.pair[0] = pair_of(reconstruction, target, result_of(context, energy));
  Kernels::energies(context, pairs, static_cast<Distance>(distance));
  return energy;
}

template <typename Kernels>
std::vector<Tensor> reconstruction_energy_backward(const Tensor& grad_energy, const Tensor& reconstruction,
                                                   const Tensor& target, const Tensor& energy,
                                                   int64_t distance, int64_t needed) {
  const typename Kernels::Context context(target);
  const std::vector<Tensor> images = {reconstruction, target};
  std::vector<Tensor> gradients = empty_gradients(images, needed, empty_samples);
  const Pairs pairs =
      pairs_of(images, energies_of(context, {energy}), results_of(context, gradients, images.size(), needed));
  Kernels::gradients(context, pairs, objective_of(distance, 0, std::nullopt),
                     incoming_of(grad_energy, true, false), true);
  return gradients;
}

template <typename Kernels>
std::tuple<Tensor, Tensor, Tensor> hinge_margin_loss(const Tensor& real_energy, const Tensor& fake_energy,
                                                     const Tensor& margin, int64_t shaping) {
  const typename Kernels::Context context(real_energy);
  Tensor loss = empty_scalar(accumulation_dtype(dtype_of(real_energy)), real_energy);
  Tensor grad_real = empty_energy(real_energy);
  Tensor grad_fake = empty_energy(fake_energy);
  const auto group = [&](const Tensor& energy, Term term, const Tensor& gradient) -> Energies {
    return {samples_of(energy), energy.size(0), term, result_of(context, gradient)};
  };
  Groups groups;
  groups.group[0] = group(real_energy, Term::kEnergy, grad_real);
  groups.group[1] = group(fake_energy, Term::kHinge, grad_fake);
  groups.count = 2;
  Kernels::mean_loss(context, groups, objective_of(0, shaping, margin), result_of(context, loss));
  return {loss, grad_real, grad_fake};
}

using Optional = std::optional<Tensor>;

inline std::vector<Tensor> images_of(const Tensor& reconstruction, const Tensor& target,
                                     const Optional& fake_reconstruction, const Optional& fake) {
  if (!fake) return {reconstruction, target};
  return {reconstruction, target, *fake_reconstruction, *fake};
}

// Returns the loss, and the energies of each pair before the gradients that are needed.
template <typename Kernels>
std::tuple<Tensor, std::vector<Tensor>> energy_loss(const Tensor& reconstruction, const Tensor& target,
                                                    const Optional& fake_reconstruction, const Optional& fake,
                                                    const Optional& margin, int64_t distance, int64_t shaping,
                                                    int64_t needed) {
  const typename Kernels::Context context(target);
  const std::vector<Tensor> images = images_of(reconstruction, target, fake_reconstruction, fake);
  std::vector<Tensor> results = {empty_energy(target)};
  if (fake) results.push_back(empty_energy(*fake));
  const std::vector<Result> energies = energies_of(context, results);
  const std::vector<Tensor> gradients = empty_gradients(images, needed, empty_samples);
  const Pairs pairs = pairs_of(images, energies, results_of(context, gradients, images.size(), needed));
  const Objective objective = objective_of(distance, shaping, margin);
  Kernels::energies_and_gradients(context, pairs, objective);

  Groups groups;
  for (; groups.count < static_cast<int>(energies.size()); ++groups.count) {
    const Pair& pair = pairs.pair[groups.count];
    const Source values = {pair.energy.data, pair.energy.dtype};
    groups.group[groups.count] = {{values, {1}}, pair.samples, pair.term, {}};
  }
  Tensor loss = empty_scalar(accumulation_dtype(dtype_of(target)), target);
  Kernels::mean_loss(context, groups, objective, result_of(context, loss));
  results.insert(results.end(), gradients.begin(), gradients.end());
  return {std::move(loss), std::move(results)};
}

template <typename Kernels>
void energy_loss_backward(const std::vector<Tensor>& gradients, const Tensor& grad_loss,
                          const Tensor& reconstruction, const Tensor& target,
                          const Optional& fake_reconstruction, const Optional& fake, const Optional& margin,
                          const std::vector<Tensor>& energies, int64_t distance, int64_t shaping,
                          int64_t needed, bool filled) {
  const typename Kernels::Context context(target);
  const std::vector<Tensor> images = images_of(reconstruction, target, fake_reconstruction, fake);
  const Pairs pairs =
      pairs_of(images, energies_of(context, energies), results_of(context, gradients, images.size(), needed));
  Kernels::gradients(context, pairs, objective_of(distance, shaping, margin),
                     incoming_of(grad_loss, false, filled), false);
}

template <typename Kernels, typename Library>
void implement(Library& library) {
  library.impl("reconstruction_energy", TORCH_BOX(&reconstruction_energy<Kernels>));
  library.impl("reconstruction_energy_backward", TORCH_BOX(&reconstruction_energy_backward<Kernels>));
  library.impl("hinge_margin_loss", TORCH_BOX(&hinge_margin_loss<Kernels>));
  library.impl("energy_loss", TORCH_BOX(&energy_loss<Kernels>));
  library.impl("energy_loss_backward_", TORCH_BOX(&energy_loss_backward<Kernels>));
}

}  // namespace ebgan::energy
