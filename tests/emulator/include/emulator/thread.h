// A thread of the emulated device, and what it belongs to: a warp, a block, a cluster of blocks, a launch.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

struct uint3 {
  unsigned x, y, z;
};

namespace emulator {

constexpr int kWarpLanes = 32;

enum class Waiting : uint8_t { kNo, kForBlock, kForWarp, kForCluster, kEnded };

// A line of a kernel.
struct Site {
  const char* file;
  int line;
};

// A copy from global to shared memory that has been asked for and need not have happened yet.
struct AsyncCopy {
  char* to;
  const char* from;
  int bytes_read;  // of 16 that are written; the rest is filled with zeros
  int group;       // commit_group closes groups, which are numbered from 0
};

// How far a thread has come, for what must have happened before what.
struct Clock {
  uint32_t block_barriers = 0;    // that it has passed
  uint32_t warp_barriers = 0;     // __syncwarp
  uint32_t cluster_arrivals = 0;  // at the cluster's barrier
  uint32_t cluster_waits = 0;
};

struct Block;

// Lanes of a warp that meet: each leaves a value, and the last one to come computes the results of all.
struct Meeting {
  uint32_t arrived = 0;
  Site site = {};
  const void* what = nullptr;
  alignas(16) char in[kWarpLanes][64];
  alignas(16) char out[2][kWarpLanes][32];  // by the parity of the meeting: no lane is two meetings ahead
};

struct Warp {
  Meeting meeting;
  uint32_t meetings = 0;  // that have taken place
};

struct Thread {
  uint3 index = {};
  int number = 0;  // in the block
  int order = 0;   // in the cluster
  Block* block = nullptr;
  Warp* warp = nullptr;
  void* stack_pointer = nullptr;
  char* stack = nullptr;
  Waiting waiting = Waiting::kNo;
  Site site = {};  // where it waits
  Clock clock;
  std::vector<AsyncCopy> copies;
  int copy_group = 0;

  int lane() const { return number % kWarpLanes; }
};

struct Block {
  uint3 index = {};
  int64_t number = 0;  // in the grid
  unsigned rank = 0;   // in the cluster
  char* shared = nullptr;
  size_t variables = 0;  // of the launch that this block has filled with NaN
  int threads = 0;
  int waiting = 0;
  int ended = 0;
  Site barrier = {};  // where the waiting ones wait
  int any[2] = {};    // whether a thread said yes at the barrier, by the parity of its number
};

// Shared memory of a block: the dynamic part begins at 0, static variables lie behind it.
constexpr int64_t kSharedArena = 256 * 1024;
constexpr unsigned kMostClusterBlocks = 8;

extern Thread* current;  // the thread that runs; null: the host
extern uint3 block_dim;
extern uint3 grid_dim;
extern unsigned cluster_blocks;

inline const uint3& threadIdx() { return current->index; }
inline const uint3& blockIdx() { return current->block->index; }
inline const uint3& blockDim() { return block_dim; }
inline const uint3& gridDim() { return grid_dim; }

}  // namespace emulator
