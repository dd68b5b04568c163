// The pulling-away term from a Gram matrix, for one pair and one row; host and device, no torch.
//
//   cosine    c_ij = G_ij / sqrt(G_ii G_jj), G = S S^T                        i, j = 1..N
//   loss      k sum_i sum_{j != i} c_ij^2, k = 1 / (N (N - 1))
//   gradient  d loss / d S = W S:  W_ij = 4 k c_ij / sqrt(G_ii G_jj) for j != i
//                                  W_ii = -4 k sum_{j != i} c_ij^2 / G_ii
//
// Inverse norms are multiplied one at a time, because G_ii G_jj would overflow float32 at norms of 4e9.
// Zhao, Mathieu, LeCun, "Energy-based Generative Adversarial Network", arXiv:1609.03126, section 2.4.

#pragma once

#include <math.h>
#include <stdint.h>

#include "math/qualifiers.h"

namespace ebgan::math {

// 1 / |S_i| from G_ii. A row of norm 0 has cosine 0 with every other and gets gradient 0. The quotient makes NaN
// of an infinite G_ii, not cosines of 0.
template <typename T>
EBGAN_HOST_DEVICE T inverse_norm(T squared_norm) {
  return squared_norm == T(0) ? T(0) : sqrt(squared_norm) / squared_norm;
}

template <typename T>
EBGAN_HOST_DEVICE T cosine(T product, T inverse_norm_i, T inverse_norm_j) {
  return product * inverse_norm_i * inverse_norm_j;
}

// The k of the loss, one over the number of ordered pairs of different rows.
template <typename T>
EBGAN_HOST_DEVICE T pair_share(int64_t rows) {
  return T(1) / (T(rows) * T(rows - 1));
}

// The weight W_ij for j != i.
template <typename T>
EBGAN_HOST_DEVICE T pair_weight(T share, T cosine_ij, T inverse_norm_i, T inverse_norm_j) {
  return T(4) * share * cosine_ij * inverse_norm_i * inverse_norm_j;
}

// The weight W_ii; `squares` is the sum of c_ij^2 over j != i.
template <typename T>
EBGAN_HOST_DEVICE T own_weight(T share, T squares, T inverse_norm_i) {
  return T(-4) * share * squares * inverse_norm_i * inverse_norm_i;
}

}  // namespace ebgan::math
