// The places of tiles in shared memory and of fragments of the tensor cores, as plain functions, which tests call on the
// host.

#pragma once

#include "math/qualifiers.h"

namespace ebgan::cuda::valid_conv {

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

}  // namespace ebgan::cuda::valid_conv
