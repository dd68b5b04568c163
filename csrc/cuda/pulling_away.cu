// The pulling-away term on CUDA, from the Gram matrix of the codes: the loss, and the weights of its gradient.
//
//   cosine    c_ij = G_ij / sqrt(G_ii G_jj), G = S S^T                        i, j = 1..N
//   loss      k sum_i sum_{j != i} c_ij^2, k = 1 / (N (N - 1))
//   gradient  d loss / d S = W S:  W_ij = 4 k c_ij / sqrt(G_ii G_jj),  W_ii = -4 k sum_{j != i} c_ij^2 / G_ii
//
// For numbers of b bytes, N^2 b are read and, where weights are wanted, N^2 b written, in one pass; a second, tiny
// kernel adds the sums of the rows. Every block also reads the diagonal, a sector of 32 bytes for each number, and so
// serves several rows, one for each warp.

#include <algorithm>
#include <cstdint>

#include "cuda/device.h"
#include "cuda/dtype.cuh"
#include "cuda/reduce.cuh"
#include "operators/pulling_away.h"
#include "stable/cuda.h"

namespace ebgan::cuda::pulling_away {
namespace {

constexpr int kRows = 8;  // rows of the Gram matrix that a block takes
constexpr int kRowThreads = kRows * kWarp;
constexpr int kColumns = 1024;  // columns whose norms lie in shared memory at a time

// --- kernels -------------------------------------------------------------------------------------

// Computes the squares of rows and the weights; `weights` is null where they are not wanted. Consecutive threads read
// consecutive numbers, one at a time, which makes whole sectors whatever N is; vectors would need rows that start on
// 16 bytes.
template <typename A>
__global__ void __launch_bounds__(kRowThreads)
    row_weights(const A* const __restrict__ gram, const int64_t rows, const A share,
                A* const __restrict__ squares, A* const __restrict__ weights) {
  __shared__ A column_scales[kColumns];
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t row = int64_t{blockIdx.x} * kRows + threadIdx.x / kWarp;
  const bool is_row = row < rows;
  const A row_scale = is_row ? math::inverse_norm(gram[row * (rows + 1)]) : A(0);
  A sum = A(0);
  for (int64_t first = 0; first < rows; first += kColumns) {
    const int columns = static_cast<int>(rows - first < kColumns ? rows - first : kColumns);
    __syncthreads();
    for (int j = static_cast<int>(threadIdx.x); j < columns; j += kRowThreads) {
      column_scales[j] = math::inverse_norm(gram[(first + j) * (rows + 1)]);
    }
    __syncthreads();
    const int64_t offset = row * rows + first;
    const int64_t own = row - first;
#pragma unroll 4
    for (int j = lane; j < (is_row ? columns : 0); j += kWarp) {
      const A product = gram[offset + j];
      const A cosine = j == own ? A(0) : math::cosine(product, row_scale, column_scales[j]);
      sum += cosine * cosine;
      if (weights && j != own) {
        weights[offset + j] = math::pair_weight(share, cosine, row_scale, column_scales[j]);
      }
    }
  }
  sum = warp_sum(sum);
  if (!is_row || lane != 0) return;
  squares[row] = sum;
  if (weights) weights[row * (rows + 1)] = math::own_weight(share, sum, row_scale);
}

template <typename A>
struct LossOfSum {
  double share;
  A* loss;

  __device__ void operator()(int64_t, double total) const { *loss = static_cast<A>(share * total); }
};

// --- launcher ------------------------------------------------------------------------------------

struct CudaKernels {
  using Context = CudaContext;

  static void loss_and_weights(const Context& cuda, const Source& gram, int64_t rows, const Result& weights,
                               const Result& loss) {
    const Tensor workspace = empty_vector(rows, gram.dtype, cuda.like());
    with_accumulation(gram.dtype, [&]<typename A>() {
      A* const squares = static_cast<A*>(workspace.mutable_data_ptr());
      launch(row_weights<A>, LaunchShape{ceil_div(rows, kRows), kRowThreads}, cuda.stream(),
             static_cast<const A*>(gram.data), rows, math::pair_share<A>(rows), squares,
             static_cast<A*>(weights.data));
      const LossOfSum<A> finish = {math::pair_share<double>(rows), static_cast<A*>(loss.data)};
      launch(add_parts<A, LossOfSum<A>>, LaunchShape{1, threads_for(8 * rows, kAddThreads)}, cuda.stream(),
             squares, int64_t{1}, rows, finish);
    });
  }
};

}  // namespace
}  // namespace ebgan::cuda::pulling_away

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CUDA, library) {
  ebgan::pulling_away::implement<ebgan::cuda::pulling_away::CudaKernels>(library);
}
