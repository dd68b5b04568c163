// Valid convolutions of one layer at every scale on CUDA: forward, with bias and activation, and gradients.
//
//   output    out = f(bias + in * weight)     * : correlation over channels and taps, stride 1, no padding
//   gradients of in, weight and bias from g = f'(out) grad_out
//
// Each step is one launch for all scales. Bytes for elements of b bytes, C H W in, O H' W' out, batch N:
//   forward   b N (C H W + O H' W') + b O C R S; where the tensor cores need another layout, in and weight
//             are read and written once more (valid_conv_pack.cuh)
//   backward  g and the bias gradient are made in one pass, 3 b N O H' W' (2 without an activation); each of
//             the other two gradients reads g once

#include <vector>

#include "cuda/device.h"
#include "cuda/valid_conv_choice.cuh"
#include "cuda/valid_conv_direct.cuh"
#include "cuda/valid_conv_pack.cuh"
#include "stable/cuda.h"
#include "stable/tensor.h"

namespace ebgan::cuda::valid_conv {
namespace {

// Hands out pieces of a workspace. An arena without memory only counts how much will be needed.
class Arena {
 public:
  explicit Arena(void* memory = nullptr) : begin_(reinterpret_cast<uintptr_t>(memory)) {}

  void* take(int64_t bytes) {
    const uintptr_t piece = begin_ + static_cast<uintptr_t>(used_);
    used_ += round_up(bytes, 256);
    return reinterpret_cast<void*>(piece);
  }
  int64_t used() const { return used_; }

 private:
  uintptr_t begin_;
  int64_t used_ = 0;
};

// --- tensors as images ---------------------------------------------------------------------------

Image image_of(const Tensor& tensor, void* data) {
  return {data,
          {tensor.stride(0), tensor.stride(1), tensor.stride(2), tensor.stride(3)},
          tensor.size(0),
          static_cast<int>(tensor.size(1)),
          static_cast<int>(tensor.size(2)),
          static_cast<int>(tensor.size(3)),
          static_cast<int>(tensor.size(1))};
}

// The image of a tensor that is only read, although an image's pointer would allow writing.
Image source_image(const Tensor& tensor) {
  return image_of(tensor, const_cast<void*>(tensor.const_data_ptr()));
}

Image result_image(const Tensor& tensor) { return image_of(tensor, tensor.mutable_data_ptr()); }

// A channels-last copy of an image in whole vectors, whose values behind the image's channels are zeros.
template <typename T>
Image packed_image(const Image& image, Arena& arena) {
  const int readable = static_cast<int>(round_up(image.channels, kVectorValues<T>));
  const int64_t line = int64_t{image.width} * readable;
  return {arena.take(image.pixels() * readable * static_cast<int64_t>(sizeof(T))),
          {image.height * line, 1, line, readable},
          image.samples,
          image.channels,
          image.height,
          image.width,
          readable};
}

// The weights of the input gradient's correlation: maps and channels exchanged, taps from the last to the first.
template <typename T>
Image flipped(const Image& weight) {
  const Strides& steps = weight.strides;
  T* const last =
      static_cast<T*>(weight.data) + (weight.height - 1) * steps.row + (weight.width - 1) * steps.column;
  const int maps = static_cast<int>(weight.samples);
  return {last,
          {steps.channel, steps.sample, -steps.row, -steps.column},
          weight.channels,
          maps,
          weight.height,
          weight.width,
          maps};
}

template <typename T>
bool has_whole_vectors(const Image& image) {
  const Strides& steps = image.strides;
  const int64_t all = steps.sample | steps.row | steps.column | image.readable;
  return steps.channel == 1 && all % kVectorValues<T> == 0 &&
         reinterpret_cast<uintptr_t>(image.data) % kChunkBytes == 0;
}

// --- plans ---------------------------------------------------------------------------------------

Packing packing_of(const Image& from, const Image& packed) {
  Packing packing = {};
  packing.from = from;
  packing.packed = packed.data;
  packing.width = packed.readable;
  packing.part_pixels = kPackPixels;
  packing.parts = static_cast<int>(ceil_div(from.pixels(), kPackPixels));
  return packing;
}

// The image in the layout that the tensor cores read, as it is or repacked. All its readable channels count then.
template <typename T>
Image with_whole_vectors(const Image& image, bool as_it_is, Arena& arena, std::vector<Packing>& packings) {
  Image result = image;
  if (!as_it_is) {
    result = packed_image<T>(image, arena);
    packings.push_back(packing_of(image, result));
  }
  result.channels = result.readable;
  return result;
}

template <typename T>
Correlation for_tensor_cores(Correlation layer, Arena& arena, std::vector<Packing>& packings) {
  layer.from = with_whole_vectors<T>(layer.from, has_whole_vectors<T>(layer.from), arena, packings);
  const Image& weight = layer.weight;
  // A padded correlation has flipped weights, which lie in no order that can be read as it is.
  const bool padded = layer.padding_rows + layer.padding_columns > 0;
  const bool dense = !padded && weight.readable == layer.from.channels &&
                     weight.strides.column == weight.readable &&
                     weight.strides.row == int64_t{weight.width} * weight.readable;
  layer.weight = with_whole_vectors<T>(weight, dense && has_whole_vectors<T>(weight), arena, packings);
  if (padded) {
    Packing& packing = packings.back();
    packing.has_odd = static_cast<int*>(arena.take(packing.blocks() * static_cast<int64_t>(sizeof(int))));
    layer.has_odd_weights = packing.has_odd;
    layer.weight_parts = static_cast<int>(packing.blocks());
  }
  return layer;
}

template <typename T>
struct Plan {
  std::vector<Packing> packings;
  std::vector<Correlation> correlations;
  std::vector<WeightGradient> weight_gradients;
  std::vector<Finish> finishes;
  bool correlate_on_tensor_cores = false;
  CorrelationTile tile = CorrelationTile::kSmall;
  bool weights_on_tensor_cores = false;
  bool large_weight_tiles = false;
};

// Moves the plan's correlations to the tensor cores where takes_tensor_cores says so.
template <typename T>
void place_correlations(Plan<T>& plan, const Device& device, bool tf32, Arena& arena) {
  plan.correlate_on_tensor_cores = takes_tensor_cores<T>(plan.correlations, device, tf32);
  if (!plan.correlate_on_tensor_cores) return;
  for (Correlation& layer : plan.correlations) layer = for_tensor_cores<T>(layer, arena, plan.packings);
  plan.tile = choose_tile(plan.correlations, device);
  with_tile(plan.tile, [&]<typename Tile>() { choose_sum_parts<Tile>(plan.correlations, device); });
  for (Correlation& layer : plan.correlations) {
    if (layer.parts == 1) continue;
    layer.partial = arena.take(layer.parts * layer.to.pixels() * layer.to.channels *
                               static_cast<int64_t>(sizeof(Accumulator<T>)));
  }
}

// Makes the plan twice, first to learn how much memory it takes, then with that memory.
template <typename MakePlan, typename Run>
void with_workspace(const Tensor& device_of, const MakePlan& make_plan, const Run& run) {
  Arena counting;
  make_plan(counting);
  const int64_t floats = counting.used() / static_cast<int64_t>(sizeof(float));
  const Tensor workspace = empty_vector(floats, Dtype::kFloat32, device_of);
  Arena arena(workspace.mutable_data_ptr());
  run(make_plan(arena));
}

template <typename T>
void run_plan(const Plan<T>& plan, Activation activation, Activation packing_activation, const Device& device,
              cudaStream_t stream) {
  launch_pack<T>(plan.packings, packing_activation, stream);
  if constexpr (!std::is_same_v<T, double>) {
    if (plan.correlate_on_tensor_cores) {
      with_tile(plan.tile,
                [&]<typename Tile>() { launch_mma<T, Tile>(plan.correlations, activation, stream); });
      launch_finish_outputs<T>(plan.correlations, activation, stream);
    }
    if (plan.weights_on_tensor_cores && plan.large_weight_tiles) {
      launch_mma_weights<T, LargeWeightTile>(plan.weight_gradients, device.index, stream);
    } else if (plan.weights_on_tensor_cores) {
      launch_mma_weights<T, SmallWeightTile>(plan.weight_gradients, device.index, stream);
    }
  }
  if (!plan.correlate_on_tensor_cores) launch_ordinary<T>(plan.correlations, activation, stream);
  if (!plan.weights_on_tensor_cores) launch_direct_weights<T>(plan.weight_gradients, stream);
  launch_finish<T>(plan.finishes, stream);
}

// Calls body.template operator()<T>() with the element type.
template <typename Body>
void with_element(Dtype dtype, const Body& body) {
  switch (dtype) {
    case Dtype::kFloat16:
      return body.template operator()<__half>();
    case Dtype::kBFloat16:
      return body.template operator()<__nv_bfloat16>();
    case Dtype::kFloat32:
      return body.template operator()<float>();
    default:
      return body.template operator()<double>();
  }
}

Device facts_of(const CudaContext& cuda) {
  const int device = cuda.device();
  return {device, device_limits(device).multiprocessors,
          code_version<correlate_mma<float, SmallTile>>(device) >= 80};
}

// --- forward -------------------------------------------------------------------------------------

template <typename T>
Plan<T> plan_forward(const std::vector<Correlation>& layers, const Device& device, bool tf32, Arena& arena) {
  Plan<T> plan;
  plan.correlations = layers;
  place_correlations(plan, device, tf32, arena);
  return plan;
}

// --- backward ------------------------------------------------------------------------------------

// A scale of which some gradient is wanted. The images of gradients that are not wanted have no data.
struct BackwardLayer {
  Image grad_output;
  Image output;
  Image input;
  Image weight;
  Image grad_input = {};
  Image grad_weight = {};
  void* grad_bias = nullptr;
};

template <typename T>
Packing gradient_packing(const BackwardLayer& layer, Activation activation, const Image& gradient,
                         Arena& arena) {
  Packing packing = packing_of(layer.grad_output, gradient);
  if (activation != Activation::kNone) {
    packing.output = layer.output.data;
    packing.output_strides = layer.output.strides;
  }
  if (layer.grad_bias) {
    packing.part_pixels = math::part_size(gradient.pixels(), kMostParts, kPackPixels);
    packing.parts =
        gradient.pixels() == 0 ? 0 : static_cast<int>(ceil_div(gradient.pixels(), packing.part_pixels));
    packing.part_sums =
        arena.take(int64_t{packing.parts} * gradient.channels * static_cast<int64_t>(sizeof(Accumulator<T>)));
  }
  return packing;
}

template <typename T>
Plan<T> plan_backward(const std::vector<BackwardLayer>& layers, Activation activation, const Device& device,
                      bool tf32, Arena& arena) {
  Plan<T> plan;
  for (const BackwardLayer& layer : layers) {
    const Image gradient = packed_image<T>(layer.grad_output, arena);
    const Packing& packing =
        plan.packings.emplace_back(gradient_packing<T>(layer, activation, gradient, arena));
    if (layer.grad_input.data) {
      plan.correlations.push_back({gradient, flipped<T>(layer.weight), layer.grad_input, nullptr,
                                   layer.weight.height - 1, layer.weight.width - 1, nullptr, 0, 1});
    }
    if (layer.grad_weight.data) {
      plan.weight_gradients.push_back(
          {gradient, layer.input, layer.weight.height, layer.weight.width, nullptr, 0, 0});
    }
    if (layer.grad_weight.data || layer.grad_bias) {
      Finish finish = {};
      finish.weight = layer.weight;
      finish.weight.data = layer.grad_weight.data;
      finish.weight.strides = layer.grad_weight.strides;
      finish.bias = layer.grad_bias;
      finish.part_sums = packing.part_sums;
      finish.bias_parts = packing.parts;
      plan.finishes.push_back(finish);
    }
  }

  place_correlations(plan, device, tf32, arena);
  plan.weights_on_tensor_cores = takes_tensor_cores<T>(plan.weight_gradients, device, tf32);
  plan.large_weight_tiles = takes_large_tiles(plan.weight_gradients, device);
  if (plan.weights_on_tensor_cores) {
    for (WeightGradient& layer : plan.weight_gradients) {
      layer.from = with_whole_vectors<T>(layer.from, has_whole_vectors<T>(layer.from), arena, plan.packings);
    }
  }
  const bool large = plan.weights_on_tensor_cores && plan.large_weight_tiles;
  choose_parts(plan.weight_gradients, large ? LargeWeightTile::kSide : kWeightTile, device);
  auto finish = plan.finishes.begin();
  for (WeightGradient& layer : plan.weight_gradients) {
    while (finish->weight.data == nullptr) ++finish;
    layer.partial = arena.take(int64_t{layer.parts} * layer.gradient.channels * layer.columns() *
                               static_cast<int64_t>(sizeof(Accumulator<T>)));
    finish->partial = layer.partial;
    finish->parts = layer.parts;
    finish->channels = layer.from.channels;
    finish->channels_fastest = layer.from.channels_fastest();
    ++finish;
  }
  return plan;
}

// --- operators: schemas in ebgan_kernels/native/valid_conv.py ------------------------------------

// An uninitialised output, laid out as the input is.
Tensor empty_output(const Tensor& input, const Tensor& weight) {
  const int64_t maps = weight.size(0);
  const int64_t height = input.size(2) - weight.size(2) + 1;
  const int64_t width = input.size(3) - weight.size(3) + 1;
  std::vector<int64_t> strides = {maps * height * width, height * width, width, 1};
  if (!input.is_contiguous()) strides = {maps * height * width, 1, width * maps, maps};
  return empty_strided({input.size(0), maps, height, width}, strides, dtype_of(input), input);
}

std::vector<Tensor> multiscale_valid_conv2d(const std::vector<Tensor>& inputs,
                                            const std::vector<Tensor>& weights,
                                            const std::vector<Tensor>& biases, int64_t activation,
                                            bool tf32) {
  const CudaContext cuda(inputs[0]);
  const Device device = facts_of(cuda);
  std::vector<Tensor> outputs;
  std::vector<Correlation> layers;
  for (size_t i = 0; i < inputs.size(); ++i) {
    outputs.push_back(empty_output(inputs[i], weights[i]));
    const void* const bias = biases[i].numel() == 0 ? nullptr : biases[i].const_data_ptr();
    layers.push_back({source_image(inputs[i]), source_image(weights[i]), result_image(outputs[i]), bias, 0, 0,
                      nullptr, 0, 1});
  }
  with_element(dtype_of(inputs[0]), [&]<typename T>() {
    with_workspace(
        inputs[0], [&](Arena& arena) { return plan_forward<T>(layers, device, tf32, arena); },
        [&](const Plan<T>& plan) {
          run_plan(plan, static_cast<Activation>(activation), Activation::kNone, device, cuda.stream());
        });
  });
  return outputs;
}

// Returns the gradients of the inputs, then of the weights, then of the biases, where they are needed.
std::vector<Tensor> multiscale_valid_conv2d_backward(const std::vector<Tensor>& grad_outputs,
                                                     const std::vector<Tensor>& outputs,
                                                     const std::vector<Tensor>& inputs,
                                                     const std::vector<Tensor>& weights, int64_t activation,
                                                     bool tf32, int64_t need_inputs, int64_t need_weights,
                                                     int64_t need_biases) {
  const CudaContext cuda(inputs[0]);
  const Device device = facts_of(cuda);
  const Dtype dtype = dtype_of(inputs[0]);
  const size_t scales = inputs.size();
  std::vector<Tensor> gradients;
  std::vector<BackwardLayer> layers(scales);
  for (size_t i = 0; i < scales; ++i) {
    layers[i].grad_output = source_image(grad_outputs[i]);
    layers[i].output = source_image(outputs[i]);
    layers[i].input = source_image(inputs[i]);
    layers[i].weight = source_image(weights[i]);
    if (is_needed(need_inputs, i))
      layers[i].grad_input = result_image(gradients.emplace_back(empty_samples(inputs[i])));
  }
  for (size_t i = 0; i < scales; ++i) {
    if (!is_needed(need_weights, i)) continue;
    layers[i].grad_weight = result_image(gradients.emplace_back(empty_samples(weights[i])));
  }
  for (size_t i = 0; i < scales; ++i) {
    if (!is_needed(need_biases, i)) continue;
    Tensor& gradient = gradients.emplace_back(empty_vector(weights[i].size(0), dtype, weights[i]));
    layers[i].grad_bias = gradient.mutable_data_ptr();
  }
  std::erase_if(layers, [](const BackwardLayer& layer) {
    return !layer.grad_input.data && !layer.grad_weight.data && !layer.grad_bias;
  });
  with_element(dtype, [&]<typename T>() {
    const auto f = static_cast<Activation>(activation);
    with_workspace(
        inputs[0], [&](Arena& arena) { return plan_backward<T>(layers, f, device, tf32, arena); },
        [&](const Plan<T>& plan) { run_plan(plan, Activation::kNone, f, device, cuda.stream()); });
  });
  return gradients;
}

}  // namespace
}  // namespace ebgan::cuda::valid_conv

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CUDA, library) {
  library.impl("multiscale_valid_conv2d", TORCH_BOX(&ebgan::cuda::valid_conv::multiscale_valid_conv2d));
  library.impl("multiscale_valid_conv2d_backward",
               TORCH_BOX(&ebgan::cuda::valid_conv::multiscale_valid_conv2d_backward));
}
