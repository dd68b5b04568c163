// The step between two dense layers of a ladder network on CUDA: normalisation, noise, beta, gamma, activation.
// Formulas: math/ladder_layer.h; kernels and bytes: ladder_layer.cuh.

#include "cuda/device.h"
#include "cuda/ladder_layer.cuh"
#include "operators/ladder_layer.h"
#include "stable/cuda.h"

namespace ebgan::cuda::ladder_layer {
namespace {

using ladder::with_types;

struct CudaKernels {
  using Context = CudaContext;

  static void forward(const Context& cuda, const Inputs& inputs, const Outputs& outputs) {
    const Extent& extent = inputs.extent;
    const LaunchShape shape = {extent.networks * extent.parts * unit_tiles(extent), kTileThreads};
    with_types({&inputs.x, &inputs.noise, &inputs.beta, &inputs.gamma}, [&]<typename A, bool kMixed>() {
      launch(layer_forward<A, kMixed>, shape, cuda.stream(), inputs, outputs);
    });
  }

  static void backward(const Context& cuda, const Inputs& inputs, const Parts& mean, const Parts& std,
                       const Gradients& gradients) {
    const Extent& extent = inputs.extent;
    const bool summed = gradients.wants_sums();
    const int64_t turns = summed ? 1 : extent.parts;
    const LaunchShape shape = {extent.networks * turns * unit_tiles(extent), kTileThreads};
    with_types({&inputs.x, &inputs.noise, &inputs.beta, &inputs.gamma, &gradients.z, &gradients.h},
               [&]<typename A, bool kMixed>() {
                 launch(summed ? layer_backward<A, kMixed, true> : layer_backward<A, kMixed, false>, shape,
                        cuda.stream(), inputs, mean, std, gradients);
               });
  }
};

}  // namespace
}  // namespace ebgan::cuda::ladder_layer

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CUDA, library) {
  ebgan::ladder_layer::implement<ebgan::cuda::ladder_layer::CudaKernels>(library);
}
