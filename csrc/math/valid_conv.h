// Valid convolutions: the activation and its gradient, and the places of outputs and of terms of the sum; host and
// device, no torch.
//
//   output    out[n, j, y, x] = f(bias[j] + sum over i, r, s of in[n, i, y + r, x + s] weight[j, i, r, s])
//   gradients g = f'(out) * grad_out, f' from the output alone
//             grad_bias[j]            = sum over n, y, x of g[n, j, y, x]
//             grad_in[n, i, y, x]     = sum over j, r, s of g[n, j, y - r, x - s] weight[j, i, r, s]
//             grad_weight[j, i, r, s] = sum over n, y, x of g[n, j, y, x] in[n, i, y + r, x + s]
//
// The input gradient is a correlation, too, of g padded by kernel - 1 with flipped weights, whose channels and
// maps are exchanged.

#pragma once

#include <math.h>
#include <stdint.h>

#include "math/qualifiers.h"

namespace ebgan::math {

// The integers are those of ebgan_kernels/native/valid_conv.py.
enum class Activation : int { kNone = 0, kRelu = 1, kLeakyRelu = 2, kTanh = 3 };

constexpr double kLeakySlope = 0.2;

// f(value); NaN stays NaN, as in PyTorch.
template <typename A>
EBGAN_HOST_DEVICE A activate(Activation activation, A value) {
  switch (activation) {
    case Activation::kRelu:
      return value <= A(0) ? A(0) : value;
    case Activation::kLeakyRelu:
      return value > A(0) ? value : static_cast<A>(kLeakySlope) * value;
    case Activation::kTanh:
      return tanh(value);
    default:
      return value;
  }
}

// f'(out) * gradient. Where relu is 0, the result is 0 even if the incoming gradient is infinite.
template <typename A>
EBGAN_HOST_DEVICE A activation_gradient(Activation activation, A output, A gradient) {
  switch (activation) {
    case Activation::kRelu:
      return output <= A(0) ? A(0) : gradient;
    case Activation::kLeakyRelu:
      return output > A(0) ? gradient : static_cast<A>(kLeakySlope) * gradient;
    case Activation::kTanh:
      return gradient * (A(1) - output * output);
    default:
      return gradient;
  }
}

// --- outputs and terms ---------------------------------------------------------------------------

struct Pixel {
  int64_t sample;
  int row;
  int column;
};

// Pixel `index` of a batch of planes. Small indices are divided in 32 bits, because a division of 64 bits takes
// many times the instructions.
EBGAN_HOST_DEVICE Pixel pixel_of(int64_t index, int height, int width) {
  if ((index >> 31) == 0) {
    const uint32_t small = static_cast<uint32_t>(index);
    const uint32_t line = small / static_cast<uint32_t>(width);
    const uint32_t sample = line / static_cast<uint32_t>(height);
    return {static_cast<int64_t>(sample), static_cast<int>(line - sample * static_cast<uint32_t>(height)),
            static_cast<int>(small - line * static_cast<uint32_t>(width))};
  }
  const int64_t line = index / width;
  const int64_t sample = line / height;
  return {sample, static_cast<int>(line - sample * height), static_cast<int>(index - line * width)};
}

struct Tap {
  int channel;
  int row;
  int column;
};

// Term `index` of an output's sum. Consecutive terms are neighbours in memory: channels of a channels-last image
// with `channels_fastest`, columns of a plane without.
EBGAN_HOST_DEVICE Tap tap_of(int index, int channels, int kernel_height, int kernel_width,
                             bool channels_fastest) {
  const int taps = kernel_height * kernel_width;
  const int channel = channels_fastest ? index % channels : index / taps;
  const int tap = channels_fastest ? index / channels : index % taps;
  return {channel, tap / kernel_width, tap % kernel_width};
}

// The index of the term of a tap; it is the inverse of tap_of.
EBGAN_HOST_DEVICE int term_of(const Tap& tap, int channels, int kernel_height, int kernel_width,
                              bool channels_fastest) {
  const int position = tap.row * kernel_width + tap.column;
  return channels_fastest ? position * channels + tap.channel
                          : tap.channel * kernel_height * kernel_width + position;
}

// Moves a tap `step` channels further on, where channels are fastest.
EBGAN_HOST_DEVICE void advance(Tap& tap, int step, int channels, int kernel_width) {
  tap.channel += step;
  while (tap.channel >= channels) {
    tap.channel -= channels;
    if (++tap.column == kernel_width) {
      tap.column = 0;
      ++tap.row;
    }
  }
}

// --- cuts ----------------------------------------------------------------------------------------

// The pixels of a part of a sum when `pixels` are cut into at most `parts` parts, in whole multiples of `unit`.
EBGAN_HOST_DEVICE int64_t part_size(int64_t pixels, int64_t parts, int64_t unit) {
  const int64_t units = (pixels + unit - 1) / unit;
  return (units + parts - 1) / parts * unit;
}

}  // namespace ebgan::math
