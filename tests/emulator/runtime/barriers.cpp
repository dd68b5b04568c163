// Barriers: of a block, of a warp and of a cluster.

#include <cstring>

#include "emulator/device_api.h"
#include "hooks.h"
#include "launch.h"

namespace emulator {
namespace {

bool same_site(const Site& a, const Site& b) {
  return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0);
}

}  // namespace

void sync_block(Site site) {
  Thread& thread = *current;
  Block& block = *thread.block;
  note_barrier();
  if (block.ended > 0) {
    fail("%d threads of block %ld have ended before the barrier in %s:%d", block.ended,
         static_cast<long>(block.number), site.file, site.line);
  }
  if (block.waiting == 0) {
    block.barrier = site;
  } else if (!same_site(block.barrier, site)) {
    fail("threads of block %ld wait at different barriers, in %s:%d and in line %d", static_cast<long>(block.number),
         block.barrier.file, block.barrier.line, site.line);
  }
  ++block.waiting;
  if (block.waiting < block.threads) {
    wait_for(Waiting::kForBlock, site);
    return;
  }
  block.waiting = 0;
  std::vector<Thread>& threads = threads_of_cluster();
  const int first = thread.order - thread.number;
  for (int i = 0; i < block.threads; ++i) {
    Thread& other = threads[static_cast<size_t>(first + (seed == 1 ? block.threads - 1 - i : i))];
    ++other.clock.block_barriers;
    make_ready(other);
  }
  wait_for(Waiting::kNo, site);
}

// A thread cannot reach the barrier after the next before all have left this one.
int sync_block_or(int predicate, Site site) {
  Block& block = *current->block;
  int& any = block.any[current->clock.block_barriers % 2];
  if (block.waiting == 0) any = 0;
  any |= predicate != 0;
  sync_block(site);
  return any;
}

void cluster_arrive(Site site) {
  Thread& thread = *current;
  if (thread.clock.cluster_arrivals != thread.clock.cluster_waits) {
    fail("thread %d of block %ld arrives at the cluster's barrier in %s:%d twice without waiting for it", thread.number,
         static_cast<long>(thread.block->number), site.file, site.line);
  }
  ++thread.clock.cluster_arrivals;
  if (++launch.cluster_arrived < launch.cluster_threads()) return;
  launch.cluster_arrived = 0;
  ++launch.cluster_generation;
  for (Thread& other : threads_of_cluster()) {
    if (other.waiting == Waiting::kForCluster) make_ready(other);
  }
}

void cluster_wait(Site site) {
  Thread& thread = *current;
  if (thread.clock.cluster_arrivals != thread.clock.cluster_waits + 1) {
    fail("thread %d of block %ld waits for the cluster's barrier in %s:%d without having arrived", thread.number,
         static_cast<long>(thread.block->number), site.file, site.line);
  }
  note_barrier();
  if (launch.cluster_generation <= thread.clock.cluster_waits) wait_for(Waiting::kForCluster, site);
  ++thread.clock.cluster_waits;
}

}  // namespace emulator
