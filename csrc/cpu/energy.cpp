// The energy family on the CPU. For N elements in one image tensor:
//
//   reconstruction_energy               2N read
//   reconstruction_energy_backward      2N read, 1N written for each gradient
//   discriminator_loss, generator_loss  2N read for each pair, 1N written for each gradient
//   energy_loss_backward_               2N read, 1N written for each gradient; nothing where it is filled and
//                                       the incoming gradient is 1
//
// The gradient takes a second sweep over a sample, which reads it from the caches.

#include <optional>
#include <tuple>
#include <vector>

#include "cpu/energy_batch.h"
#include "cpu/pages.h"

namespace ebgan {
namespace {

void* writable(const Tensor& gradient) {
  if (gradient.numel() == 0) return nullptr;
  void* data = gradient.mutable_data_ptr();
  prefer_huge_pages(data, gradient.numel() * element_size(dtype_of(gradient)));
  return data;
}

Pair pair_of(const Tensor& reconstruction, const Tensor& target) {
  return {batch_of(reconstruction), batch_of(target)};
}

Pair pair_of(const Tensor& reconstruction, const Tensor& target, const Tensor& grad_reconstruction,
             const Tensor& grad_target) {
  Pair pair = {batch_of(reconstruction), batch_of(target), writable(grad_reconstruction),
               writable(grad_target)};
  pair.streamed = pair.gradient_bytes() > kStreamedBytes;
  return pair;
}

Tensor reconstruction_energy(const Tensor& reconstruction, const Tensor& target, int64_t distance) {
  std::vector<double> energies(static_cast<size_t>(reconstruction.size(0)));
  energies_and_gradients({{pair_of(reconstruction, target), Term::kEnergy, 0, energies.data()}},
                         static_cast<Distance>(distance), Shaping::kIdentity);
  return vector_tensor(energies, reconstruction);
}

std::tuple<Tensor, Tensor> reconstruction_energy_backward(const Tensor& grad_energy,
                                                          const Tensor& reconstruction, const Tensor& target,
                                                          const Tensor& energy, int64_t distance,
                                                          bool need_reconstruction, bool need_target) {
  Tensor grad_reconstruction = empty_gradient(reconstruction, need_reconstruction);
  Tensor grad_target = empty_gradient(target, need_target);
  const Pair pair = pair_of(reconstruction, target, grad_reconstruction, grad_target);
  const Dtype dtype = dtype_of(energy);
  const void* energies = energy.const_data_ptr();
  const void* slopes = grad_energy.const_data_ptr();
  const int64_t slope_stride = grad_energy.stride(0);
  for_each_chunk({pair, Term::kEnergy, 0, nullptr}, [&](int64_t sample, int64_t chunk) {
    write_gradient(pair, sample, chunk, static_cast<Distance>(distance), read_value(energies, dtype, sample),
                   read_value(slopes, dtype, sample * slope_stride));
  });
  return {grad_reconstruction, grad_target};
}

std::tuple<Tensor, Tensor, Tensor> hinge_margin_loss(const Tensor& real_energy, const Tensor& fake_energy,
                                                     const Tensor& margin, int64_t shaping) {
  const Shaping f = static_cast<Shaping>(shaping);
  const auto mean_and_slopes = [&](const Tensor& energy, Term term, double& loss) {
    std::vector<double> values = vector_values(energy);
    const double count = static_cast<double>(values.size());
    double total = 0;
    for (double& value : values) {
      total += math::loss_term(term, f, value, scalar(margin));
      value = math::loss_slope(term, f, value, scalar(margin)) / count;
    }
    loss += total / count;
    return vector_tensor(values, energy);
  };
  double loss = 0;
  Tensor grad_real = mean_and_slopes(real_energy, Term::kEnergy, loss);
  Tensor grad_fake = mean_and_slopes(fake_energy, Term::kHinge, loss);
  return {scalar_tensor(loss, real_energy), grad_real, grad_fake};
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor> discriminator_loss(
    const Tensor& real_reconstruction, const Tensor& real, const Tensor& fake_reconstruction,
    const Tensor& fake, const Tensor& margin, int64_t distance, int64_t shaping,
    bool need_real_reconstruction, bool need_real, bool need_fake_reconstruction, bool need_fake) {
  Tensor grad_real_reconstruction = empty_gradient(real_reconstruction, need_real_reconstruction);
  Tensor grad_real = empty_gradient(real, need_real);
  Tensor grad_fake_reconstruction = empty_gradient(fake_reconstruction, need_fake_reconstruction);
  Tensor grad_fake = empty_gradient(fake, need_fake);
  std::vector<double> real_energies(static_cast<size_t>(real.size(0)));
  std::vector<double> fake_energies(static_cast<size_t>(fake.size(0)));
  const std::vector<LossTerm> terms = {
      {pair_of(real_reconstruction, real, grad_real_reconstruction, grad_real), Term::kEnergy, 0,
       real_energies.data()},
      {pair_of(fake_reconstruction, fake, grad_fake_reconstruction, grad_fake), Term::kHinge, scalar(margin),
       fake_energies.data()}};
  const Shaping f = static_cast<Shaping>(shaping);
  energies_and_gradients(terms, static_cast<Distance>(distance), f);
  return {scalar_tensor(terms[0].mean(f) + terms[1].mean(f), real),
          vector_tensor(real_energies, real),
          vector_tensor(fake_energies, fake),
          grad_real_reconstruction,
          grad_real,
          grad_fake_reconstruction,
          grad_fake};
}

std::tuple<Tensor, Tensor, Tensor, Tensor> generator_loss(const Tensor& fake_reconstruction,
                                                          const Tensor& fake, int64_t distance,
                                                          int64_t shaping, bool need_fake_reconstruction,
                                                          bool need_fake) {
  Tensor grad_fake_reconstruction = empty_gradient(fake_reconstruction, need_fake_reconstruction);
  Tensor grad_fake = empty_gradient(fake, need_fake);
  std::vector<double> energies(static_cast<size_t>(fake.size(0)));
  const std::vector<LossTerm> terms = {
      {pair_of(fake_reconstruction, fake, grad_fake_reconstruction, grad_fake), Term::kEnergy, 0,
       energies.data()}};
  const Shaping f = static_cast<Shaping>(shaping);
  energies_and_gradients(terms, static_cast<Distance>(distance), f);
  return {scalar_tensor(terms[0].mean(f), fake), vector_tensor(energies, fake), grad_fake_reconstruction,
          grad_fake};
}

void energy_loss_backward(const Tensor& grad_reconstruction, const Tensor& grad_target,
                          const Tensor& grad_loss, const Tensor& reconstruction, const Tensor& target,
                          const Tensor& energy, const std::optional<Tensor>& margin, int64_t distance,
                          int64_t shaping, bool filled) {
  const double scale = scalar(grad_loss);
  if (filled && scale == 1) return;
  std::vector<double> energies = vector_values(energy);
  const LossTerm term = {pair_of(reconstruction, target, grad_reconstruction, grad_target),
                         margin ? Term::kHinge : Term::kEnergy, margin ? scalar(*margin) : 0,
                         energies.data()};
  for_each_chunk(term, [&](int64_t sample, int64_t chunk) {
    const double slope = term.slope(static_cast<Shaping>(shaping), sample, scale);
    write_gradient(term.pair, sample, chunk, static_cast<Distance>(distance), energies[sample], slope);
  });
}

}  // namespace
}  // namespace ebgan

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CPU, library) {
  library.impl("reconstruction_energy", TORCH_BOX(&ebgan::reconstruction_energy));
  library.impl("reconstruction_energy_backward", TORCH_BOX(&ebgan::reconstruction_energy_backward));
  library.impl("hinge_margin_loss", TORCH_BOX(&ebgan::hinge_margin_loss));
  library.impl("discriminator_loss", TORCH_BOX(&ebgan::discriminator_loss));
  library.impl("generator_loss", TORCH_BOX(&ebgan::generator_loss));
  library.impl("energy_loss_backward_", TORCH_BOX(&ebgan::energy_loss_backward));
}
