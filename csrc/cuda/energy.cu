// The energy family on CUDA: reconstruction energies, hinge margin loss, discriminator and generator loss.
//
//   E_i  = sqrt(sum_j r_ij^2) | sum_j r_ij^2 | sum_j r_ij^2 / D | sum_j |r_ij|;   r = reconstruction - target
//   loss = mean_i f(E_i of real) + mean_i f([margin - E_i of fake]^+)             discriminator
//        = mean_i f(E_i of fake)                                                  generator;  f(t) = t | t^2
//
// Bytes of a loss over N samples of D elements in b-byte types: 2 N D b read and N D b written for each
// gradient wanted, in one pass (energy_one_pass.cuh); 4 N D b read where a sample does not fit into shared
// memory (energy_passes.cuh). A second, tiny kernel computes the loss from the energies (energy_loss.cuh).

#include "cuda/device.h"
#include "cuda/energy_loss.cuh"
#include "cuda/energy_one_pass.cuh"
#include "cuda/energy_passes.cuh"
#include "cuda/energy_samples.cuh"
#include "operators/energy.h"
#include "stable/cuda.h"

namespace ebgan::cuda::energy {
namespace {

struct CudaKernels {
  using Context = CudaContext;

  static void energies(const Context& cuda, const Pairs& pairs, Distance distance) {
    const Dtype dtype = pairs.pair[0].energy.dtype;
    with_accumulation(dtype, [&]<typename A>() {
      const PassPlan passes = plan_passes(pairs);
      const Tensor sums = empty_vector(passes.workspace(), dtype, cuda.like());
      launch_energies(pairs, distance, passes, static_cast<A*>(sums.mutable_data_ptr()), cuda.stream());
    });
  }

  static void energies_and_gradients(const Context& cuda, const Pairs& pairs, const Objective& objective) {
    const bool in_one_pass =
        pairs.wants_gradient() && with_accumulation(pairs.pair[0].energy.dtype, [&]<typename A>() {
          const OnePassPlan plan = plan_one_pass<A>(pairs, cuda.device());
          if (plan.possible) launch_one_pass<A>(pairs, objective, plan, cuda.stream());
          return plan.possible;
        });
    if (in_one_pass) return;
    energies(cuda, pairs, objective.distance);
    gradients(cuda, pairs, objective, {}, false);
  }

  static void gradients(const Context& cuda, const Pairs& pairs, const Objective& objective,
                        const Incoming& incoming, bool of_energies) {
    with_accumulation(pairs.pair[0].energy.dtype, [&]<typename A>() {
      launch_gradients<A>(pairs, objective, incoming, of_energies, plan_passes(pairs),
                          device_limits(cuda.device()).multiprocessors, cuda.stream());
    });
  }

  static void mean_loss(const Context& cuda, const Groups& groups, const Objective& objective,
                        const Result& loss) {
    with_accumulation(loss.dtype, [&]<typename A>() {
      launch_loss(groups, objective, static_cast<A*>(loss.data), cuda.stream());
    });
  }
};

}  // namespace
}  // namespace ebgan::cuda::energy

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CUDA, library) {
  ebgan::energy::implement<ebgan::cuda::energy::CudaKernels>(library);
}
