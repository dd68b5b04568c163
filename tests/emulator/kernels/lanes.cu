// Lanes of a warp that exchange values: what each kernel gives is compared with values worked out by hand.

#include <cooperative_groups.h>

#include "launching.h"

using emulator::tests::launch;

namespace {

__global__ void shuffle(const int kind, const int argument, const int width, int* const to) {
  const int lane = static_cast<int>(threadIdx.x);
  const int value = 100 + lane;
  switch (kind) {
    case 0:
      to[lane] = __shfl_sync(0xffffffffu, value, argument, width);
      break;
    case 1:
      to[lane] = __shfl_xor_sync(0xffffffffu, value, argument, width);
      break;
    case 2:
      to[lane] = __shfl_up_sync(0xffffffffu, value, static_cast<unsigned>(argument), width);
      break;
    default:
      to[lane] = __shfl_down_sync(0xffffffffu, value, static_cast<unsigned>(argument), width);
  }
}

// A value of eight bytes from the next lane but one.
__global__ void shuffle_double(double* const to) {
  to[threadIdx.x] = __shfl_down_sync(0xffffffffu, 0.5 * threadIdx.x, 2);
}

// The even lanes by themselves: lane 0's value to all of them, and who of them is above ten.
__global__ void even_lanes(int* const values, unsigned* const ballots) {
  const int lane = static_cast<int>(threadIdx.x);
  if (lane % 2 != 0) return;
  values[lane] = __shfl_sync(0x55555555u, lane + 7, 0);
  ballots[lane] = __ballot_sync(0x55555555u, lane > 10);
}

__global__ void votes(int* const to) {
  const int lane = static_cast<int>(threadIdx.x);
  to[4 * lane] = static_cast<int>(__ballot_sync(0xffffffffu, lane == 3 || lane == 31));
  to[4 * lane + 1] = __any_sync(0xffffffffu, lane == 3);
  to[4 * lane + 2] = __all_sync(0xffffffffu, lane < 32);
  to[4 * lane + 3] = __all_sync(0xffffffffu, lane < 31);
}

// Each lane reads what its neighbour has written in front of the warp's barrier.
__global__ void neighbours(int* const to) {
  __shared__ int shared[32];
  const int lane = static_cast<int>(threadIdx.x);
  shared[lane] = lane * lane;
  __syncwarp();
  to[lane] = shared[(lane + 1) % 32];
}

// --- mistakes ------------------------------------------------------------------------------------

__global__ void reads_absent_lane(int* const to) {
  if (threadIdx.x < 16) to[threadIdx.x] = __shfl_sync(0xffffu, 1, 20);
}

__global__ void names_itself_not() { __syncwarp(threadIdx.x == 5 ? 0xffu & ~0x20u : 0xffffffffu); }

__global__ void one_lane_stays_away() {
  if (threadIdx.x != 9) __syncwarp();
}

__global__ void meets_in_two_places(int* const to) {
  if (threadIdx.x < 16) {
    to[threadIdx.x] = __shfl_sync(0xffffffffu, 1, 0);
  } else {
    to[threadIdx.x] = __shfl_sync(0xffffffffu, 2, 0);
  }
}

}  // namespace

EMULATOR_TEST(run_shuffle, (int kind, int argument, int width, int* to),
              launch(shuffle, 1, 32, kind, argument, width, to))
EMULATOR_TEST(run_shuffle_double, (double* to), launch(shuffle_double, 1, 32, to))
EMULATOR_TEST(run_even_lanes, (int* values, unsigned* ballots), launch(even_lanes, 1, 32, values, ballots))
EMULATOR_TEST(run_votes, (int* to), launch(votes, 1, 32, to))
EMULATOR_TEST(run_neighbours, (int* to), launch(neighbours, 1, 32, to))
EMULATOR_TEST(run_reads_absent_lane, (int* to), launch(reads_absent_lane, 1, 32, to))
EMULATOR_TEST(run_names_itself_not, (), launch(names_itself_not, 1, 32))
EMULATOR_TEST(run_one_lane_stays_away, (), launch(one_lane_stays_away, 1, 32))
EMULATOR_TEST(run_meets_in_two_places, (int* to), launch(meets_in_two_places, 1, 32, to))
