// Valid convolutions: the activation and its gradient, and the places of outputs, of terms of the sum, of tiles
// in shared memory and of fragments of the tensor cores; host and device, no torch.
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

// --- tiles in shared memory, in vectors of 16 bytes -----------------------------------------------

// A tile for the tensor cores has rows of 64 bytes; 8 rows that are read at the same vector touch all banks once.
constexpr int kRowVectors = 4;

EBGAN_HOST_DEVICE int row_tile_vector(int row, int vector) {
  return row * kRowVectors + (vector ^ ((row >> 1) & 3));
}

// A tile of pixels by maps is read across its rows: 8 rows at the same vector where elements have 2 bytes, 4 rows
// at two neighbouring vectors where they have 4. A row has `vectors` vectors, a multiple of 8.
template <int kElementBytes>
EBGAN_HOST_DEVICE int pixel_tile_vector(int pixel, int vector, int vectors) {
  return pixel * vectors + (vector ^ (kElementBytes == 2 ? pixel & 7 : (pixel & 3) << 1));
}

// --- fragments of mma.sync m16n8k16 (2 bytes) and m16n8k8 (4 bytes) ----------------------------------
//
// A slice of 32 bytes of the summed axis is two vectors, for either element. ldmatrix.x4 takes one row of 16
// bytes from each lane: matrix lane / 8, row lane % 8 in it.

struct Place {
  int row;
  int column;
};

// The (row, vector) of a tile that a lane names to load four matrices, whose first pair lies along the rows.
EBGAN_HOST_DEVICE Place rows_first(int lane) { return {lane & 15, lane >> 4}; }

// The same for four matrices whose first pair lies along the vectors.
EBGAN_HOST_DEVICE Place vectors_first(int lane) { return {(lane & 7) + (lane >> 4) * 8, (lane >> 3) & 1}; }

// The place in the 16 x 8 sums of a lane's register i = 0..3.
EBGAN_HOST_DEVICE Place sum_place(int lane, int i) {
  return {(lane >> 2) + (i >> 1) * 8, (lane & 3) * 2 + (i & 1)};
}

// The place in the 16 x 8 left factor of m16n8k8 (row, summed axis) of a lane's register i = 0..3. The right
// factor (summed axis, column) has its registers 0 and 1 at (left.column, left.row) of the left's 0 and 2.
EBGAN_HOST_DEVICE Place left_place(int lane, int i) {
  return {(lane >> 2) + (i & 1) * 8, (lane & 3) + (i >> 1) * 4};
}

// --- cuts ----------------------------------------------------------------------------------------

// The pixels of a part of a sum when `pixels` are cut into at most `parts` parts, in whole multiples of `unit`.
EBGAN_HOST_DEVICE int64_t part_size(int64_t pixels, int64_t parts, int64_t unit) {
  const int64_t units = (pixels + unit - 1) / unit;
  return (units + parts - 1) / parts * unit;
}

}  // namespace ebgan::math
