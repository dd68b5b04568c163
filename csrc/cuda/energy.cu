// The energy family on CUDA: reconstruction energies, hinge margin loss, discriminator and generator loss.
//
//   E_i  = sqrt(sum_j r_ij^2) | sum_j r_ij^2 | sum_j r_ij^2 / D | sum_j |r_ij|;   r = reconstruction - target
//   loss = mean_i f(E_i of real) + mean_i f([margin - E_i of fake]^+)             discriminator
//        = mean_i f(E_i of fake)                                                  generator;  f(t) = t | t^2
//
// Bytes of a loss over N samples of D elements in b-byte types: 2 N D b read and N D b written for each
// gradient wanted, in one pass (energy_one_pass.cuh); 4 N D b read where a sample does not fit into shared
// memory (energy_passes.cuh). A second, tiny kernel computes the loss from the energies (energy_loss.cuh).

#include <optional>
#include <tuple>

#include "cuda/device.h"
#include "cuda/energy_loss.cuh"
#include "cuda/energy_one_pass.cuh"
#include "cuda/energy_passes.cuh"
#include "cuda/energy_samples.cuh"
#include "stable/cuda.h"
#include "stable/tensor.h"

namespace ebgan::cuda {
namespace {

using math::Distance;
using math::Shaping;
using math::Term;

Objective objective_of(int64_t distance, int64_t shaping, const Tensor* margin) {
  Objective objective;
  objective.distance = static_cast<Distance>(distance);
  objective.shaping = static_cast<Shaping>(shaping);
  if (margin != nullptr) {
    objective.margin = margin->const_data_ptr();
    objective.margin_dtype = dtype_of(*margin);
  }
  return objective;
}

// A buffer of no elements stands for a gradient that is not wanted.
void* gradient_buffer(const Tensor& gradient) {
  return gradient.numel() == 0 ? nullptr : gradient.mutable_data_ptr();
}

template <typename A>
Pair<A> pair_of(const Tensor& reconstruction, const Tensor& target, const Tensor& grad_reconstruction,
                const Tensor& grad_target, const Tensor& energy, Term term) {
  return {batch_of(reconstruction),
          batch_of(target),
          gradient_buffer(grad_reconstruction),
          gradient_buffer(grad_target),
          static_cast<A*>(energy.data_ptr()),
          term};
}

template <typename A>
Tensor empty_sums(const PassPlan& plan, const Tensor& device_of) {
  return empty_vector(plan.workspace(), sizeof(A) == 8 ? Dtype::kFloat64 : Dtype::kFloat32, device_of);
}

// Computes energies and gradients of the pairs, then the loss, of 2 pairs for the discriminator and of 1 for the
// generator.
template <typename A>
void run_loss(const CudaContext& cuda, const Pairs<A>& pairs, int pairs_in_loss, const Objective& objective,
              const Tensor& loss) {
  const OnePassPlan one_pass = plan_one_pass(pairs, cuda.device());
  if (pairs.wants_gradient() && one_pass.possible) {
    launch_one_pass(pairs, objective, one_pass, cuda.stream());
  } else {
    const PassPlan passes = plan_passes(pairs);
    const Tensor sums = empty_sums<A>(passes, loss);
    launch_energies(pairs, objective.distance, passes, static_cast<A*>(sums.mutable_data_ptr()),
                    cuda.stream());
    launch_gradients(pairs, objective, passes, {}, device_limits(cuda.device()).multiprocessors,
                     cuda.stream());
  }
  EnergyGroups<A> groups;
  groups.count = pairs_in_loss;
  for (int g = 0; g < pairs_in_loss; ++g) {
    const Pair<A>& pair = pairs.pair[g];
    groups.group[g] = {pair.energy, dtype_of(loss), pair.target.samples, 1, pair.term, nullptr};
  }
  launch_loss(groups, objective, static_cast<A*>(loss.mutable_data_ptr()), cuda.stream());
}

// --- operators: schemas in ebgan_kernels/native/energy.py ----------------------------------------

Tensor reconstruction_energy(const Tensor& reconstruction, const Tensor& target, int64_t distance) {
  const CudaContext cuda(target);
  const Dtype dtype = accumulation_dtype(dtype_of(target));
  const Tensor energy = empty_vector(target.size(0), dtype, target);
  const Tensor none = empty_gradient(target, false);
  with_accumulation(dtype, [&]<typename A>() {
    const Pairs<A> pairs = {{pair_of<A>(reconstruction, target, none, none, energy, Term::kEnergy)}};
    const PassPlan passes = plan_passes(pairs);
    const Tensor sums = empty_sums<A>(passes, target);
    launch_energies(pairs, static_cast<Distance>(distance), passes, static_cast<A*>(sums.mutable_data_ptr()),
                    cuda.stream());
  });
  return energy;
}

std::tuple<Tensor, Tensor> reconstruction_energy_backward(const Tensor& grad_energy,
                                                          const Tensor& reconstruction, const Tensor& target,
                                                          const Tensor& energy, int64_t distance,
                                                          bool need_reconstruction, bool need_target) {
  const CudaContext cuda(target);
  const Tensor grad_reconstruction = empty_gradient(reconstruction, need_reconstruction);
  const Tensor grad_target = empty_gradient(target, need_target);
  with_accumulation(dtype_of(energy), [&]<typename A>() {
    const Pairs<A> pairs = {
        {pair_of<A>(reconstruction, target, grad_reconstruction, grad_target, energy, Term::kEnergy)}};
    const Incoming<A> incoming = {static_cast<const A*>(grad_energy.const_data_ptr()), grad_energy.stride(0),
                                  true, false};
    launch_gradients(pairs, objective_of(distance, 0, nullptr), plan_passes(pairs), incoming,
                     device_limits(cuda.device()).multiprocessors, cuda.stream());
  });
  return {grad_reconstruction, grad_target};
}

std::tuple<Tensor, Tensor, Tensor> hinge_margin_loss(const Tensor& real_energy, const Tensor& fake_energy,
                                                     const Tensor& margin, int64_t shaping) {
  const CudaContext cuda(real_energy);
  const Dtype dtype = accumulation_dtype(dtype_of(real_energy));
  const Tensor loss = empty_scalar(dtype, real_energy);
  const Tensor grad_real = empty_vector(real_energy.size(0), dtype, real_energy);
  const Tensor grad_fake = empty_vector(fake_energy.size(0), dtype, fake_energy);
  with_accumulation(dtype, [&]<typename A>() {
    const auto energies_of = [](const Tensor& energy, Term term, const Tensor& gradient) -> Energies<A> {
      return {energy.const_data_ptr(),
              dtype_of(energy),
              energy.size(0),
              energy.stride(0),
              term,
              static_cast<A*>(gradient.mutable_data_ptr())};
    };
    const EnergyGroups<A> groups = {{energies_of(real_energy, Term::kEnergy, grad_real),
                                     energies_of(fake_energy, Term::kHinge, grad_fake)},
                                    2};
    launch_loss(groups, objective_of(0, shaping, &margin), static_cast<A*>(loss.mutable_data_ptr()),
                cuda.stream());
  });
  return {loss, grad_real, grad_fake};
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor> discriminator_loss(
    const Tensor& real_reconstruction, const Tensor& real, const Tensor& fake_reconstruction,
    const Tensor& fake, const Tensor& margin, int64_t distance, int64_t shaping,
    bool need_real_reconstruction, bool need_real, bool need_fake_reconstruction, bool need_fake) {
  const CudaContext cuda(real);
  const Dtype dtype = accumulation_dtype(dtype_of(real));
  const Tensor loss = empty_scalar(dtype, real);
  const Tensor real_energy = empty_vector(real.size(0), dtype, real);
  const Tensor fake_energy = empty_vector(fake.size(0), dtype, fake);
  const Tensor grad_real_reconstruction = empty_gradient(real_reconstruction, need_real_reconstruction);
  const Tensor grad_real = empty_gradient(real, need_real);
  const Tensor grad_fake_reconstruction = empty_gradient(fake_reconstruction, need_fake_reconstruction);
  const Tensor grad_fake = empty_gradient(fake, need_fake);
  with_accumulation(dtype, [&]<typename A>() {
    const Pairs<A> pairs = {{pair_of<A>(real_reconstruction, real, grad_real_reconstruction, grad_real,
                                        real_energy, Term::kEnergy),
                             pair_of<A>(fake_reconstruction, fake, grad_fake_reconstruction, grad_fake,
                                        fake_energy, Term::kHinge)}};
    run_loss(cuda, pairs, 2, objective_of(distance, shaping, &margin), loss);
  });
  return {loss,     real_energy, fake_energy, grad_real_reconstruction, grad_real, grad_fake_reconstruction,
          grad_fake};
}

std::tuple<Tensor, Tensor, Tensor, Tensor> generator_loss(const Tensor& fake_reconstruction,
                                                          const Tensor& fake, int64_t distance,
                                                          int64_t shaping, bool need_fake_reconstruction,
                                                          bool need_fake) {
  const CudaContext cuda(fake);
  const Dtype dtype = accumulation_dtype(dtype_of(fake));
  const Tensor loss = empty_scalar(dtype, fake);
  const Tensor energy = empty_vector(fake.size(0), dtype, fake);
  const Tensor grad_reconstruction = empty_gradient(fake_reconstruction, need_fake_reconstruction);
  const Tensor grad_fake = empty_gradient(fake, need_fake);
  with_accumulation(dtype, [&]<typename A>() {
    const Pairs<A> pairs = {
        {pair_of<A>(fake_reconstruction, fake, grad_reconstruction, grad_fake, energy, Term::kEnergy)}};
    run_loss(cuda, pairs, 1, objective_of(distance, shaping, nullptr), loss);
  });
  return {loss, energy, grad_reconstruction, grad_fake};
}

void energy_loss_backward(const Tensor& grad_reconstruction, const Tensor& grad_target,
                          const Tensor& grad_loss, const Tensor& reconstruction, const Tensor& target,
                          const Tensor& energy, const std::optional<Tensor>& margin, int64_t distance,
                          int64_t shaping, bool filled) {
  const CudaContext cuda(target);
  with_accumulation(dtype_of(energy), [&]<typename A>() {
    const Pairs<A> pairs = {{pair_of<A>(reconstruction, target, grad_reconstruction, grad_target, energy,
                                        margin ? Term::kHinge : Term::kEnergy)}};
    const Incoming<A> incoming = {static_cast<const A*>(grad_loss.const_data_ptr()), 0, false, filled};
    launch_gradients(pairs, objective_of(distance, shaping, margin ? &*margin : nullptr), plan_passes(pairs),
                     incoming, device_limits(cuda.device()).multiprocessors, cuda.stream());
  });
}

}  // namespace
}  // namespace ebgan::cuda

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CUDA, library) {
  library.impl("reconstruction_energy", TORCH_BOX(&ebgan::cuda::reconstruction_energy));
  library.impl("reconstruction_energy_backward", TORCH_BOX(&ebgan::cuda::reconstruction_energy_backward));
  library.impl("hinge_margin_loss", TORCH_BOX(&ebgan::cuda::hinge_margin_loss));
  library.impl("discriminator_loss", TORCH_BOX(&ebgan::cuda::discriminator_loss));
  library.impl("generator_loss", TORCH_BOX(&ebgan::cuda::generator_loss));
  library.impl("energy_loss_backward_", TORCH_BOX(&ebgan::cuda::energy_loss_backward));
}
