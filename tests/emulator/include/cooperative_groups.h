// Stand-in for cooperative groups: the cluster of thread blocks.

#pragma once

#include "cuda_runtime.h"

namespace cooperative_groups {

class cluster_group {
 public:
  unsigned num_blocks() const { return ::emulator::cluster_blocks; }
  unsigned block_rank() const { return ::emulator::current->block->rank; }
  template <typename T>
  T* map_shared_rank(T* pointer, unsigned rank) const {
    return static_cast<T*>(::emulator::in_rank(pointer, rank));
  }
  void barrier_arrive(EMULATOR_HERE) const { ::emulator::cluster_arrive({file, line}); }
  void barrier_wait(EMULATOR_HERE) const { ::emulator::cluster_wait({file, line}); }
  void sync(EMULATOR_HERE) const {
    barrier_arrive(file, line);
    barrier_wait(file, line);
  }
};

inline cluster_group this_cluster() { return {}; }

}  // namespace cooperative_groups
