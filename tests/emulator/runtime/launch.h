// The launch that is under way, and the order in which its threads run.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/host_api.h"
#include "emulator/thread.h"

namespace emulator {

// A variable declared __shared__, known by the address of its key; it lies at the same place in every block.
struct SharedVariable {
  const void* key;
  int64_t offset;
  int64_t bytes;
};

struct Launch {
  Kernel kernel = {};
  unsigned threads = 0;  // of a block
  int64_t blocks = 0;
  unsigned cluster = 1;
  int64_t dynamic_bytes = 0;
  int64_t most_shared_bytes = 0;  // that a block may have
  std::vector<SharedVariable> variables;
  int64_t static_bytes = 0;
  // Of the cluster that runs.
  std::vector<Block> in_cluster;
  unsigned cluster_arrived = 0;
  uint32_t cluster_generation = 0;

  unsigned cluster_threads() const { return threads * cluster; }
};

extern Launch launch;

// The seed of the order: 0 in order, 1 in reverse, else random, with copies that finish early at random.
extern uint64_t seed;
uint32_t random_number();

// The thread that runs waits, and goes on when it has been made ready.
void wait_for(Waiting what, Site site);
void make_ready(Thread& thread);
std::vector<Thread>& threads_of_cluster();

// An error outside of any thread.
[[noreturn]] void fail_on_host(const std::string& message);

// The kernel, and the "file:line" of an address that a call returns to, for errors.
std::string name_of(const void* code);
std::string place_of(const void* code);

}  // namespace emulator
