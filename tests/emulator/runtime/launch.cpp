// Runs a launch: cluster after cluster, every thread a fibre that runs until it waits for others.

#include "launch.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <numeric>
#include <stdexcept>

#include "emulator/device_api.h"
#include "fibre.h"
#include "hooks.h"

namespace emulator {

Thread* current = nullptr;
uint3 block_dim = {1, 1, 1};
uint3 grid_dim = {1, 1, 1};
unsigned cluster_blocks = 1;
Launch launch;
uint64_t seed = 0;

namespace {

std::mutex one_launch;
std::vector<Thread> threads;
std::vector<Warp> warps;
std::vector<Thread*> ready;
size_t next_ready = 0;  // in order: those before it have run
void* host_stack_pointer = nullptr;
std::string failure;
uint64_t random_state = 1;

void run_thread() {
  fibre_begins();
  for (;;) {
    launch.kernel.call(launch.kernel.arguments);
    Block& block = *current->block;
    ++block.ended;
    if (block.waiting > 0) {
      fail("thread %d of block %ld has ended while %d others wait at the barrier in %s:%d", current->number,
           static_cast<long>(block.number), block.waiting, block.barrier.file, block.barrier.line);
    }
    if (current->clock.cluster_arrivals != current->clock.cluster_waits) {
      fail("thread %d of block %ld has arrived at the cluster's barrier and ended without waiting for it",
           current->number, static_cast<long>(block.number));
    }
    current->waiting = Waiting::kEnded;
    switch_fibre(&current->stack_pointer, host_stack_pointer, nullptr);
  }
}

Thread* take_ready() {
  if (next_ready == ready.size()) return nullptr;
  if (seed > 1) std::swap(ready[next_ready], ready[next_ready + random_number() % (ready.size() - next_ready)]);
  return ready[next_ready++];
}

std::string describe_waiting() {
  std::map<std::string, int> places;
  for (const Thread& thread : threads_of_cluster()) {
    if (thread.waiting == Waiting::kEnded) continue;
    const char* const what = thread.waiting == Waiting::kForBlock  ? "__syncthreads"
                             : thread.waiting == Waiting::kForWarp ? "lanes of their warp"
                                                                   : "the cluster's barrier";
    ++places[std::string(what) + " in " + thread.site.file + ":" + std::to_string(thread.site.line)];
  }
  std::string text;
  for (const auto& [place, count] : places) {
    text += (text.empty() ? "" : "; ") + std::to_string(count) + " wait for " + place;
  }
  return text;
}

void begin_cluster(int64_t first_block) {
  launch.cluster_arrived = 0;
  launch.cluster_generation = 0;
  const unsigned of_warp = (launch.threads + kWarpLanes - 1) / kWarpLanes;
  warps.resize(std::max<size_t>(warps.size(), size_t{of_warp} * launch.cluster));
  ready.clear();
  next_ready = 0;
  for (unsigned rank = 0; rank < launch.cluster; ++rank) {
    Block& block = launch.in_cluster[rank];
    block = {};
    block.number = first_block + rank;
    block.index = {static_cast<unsigned>(block.number), 0, 0};
    block.rank = rank;
    block.threads = static_cast<int>(launch.threads);
    begin_block(block);
    for (unsigned i = 0; i < launch.threads; ++i) {
      Thread& thread = threads[rank * launch.threads + i];
      thread.index = {i, 0, 0};
      thread.number = static_cast<int>(i);
      thread.order = static_cast<int>(rank * launch.threads + i);
      thread.block = &block;
      thread.warp = &warps[rank * of_warp + i / kWarpLanes];
      thread.waiting = Waiting::kNo;
      thread.clock = {};
      thread.copies.clear();
      thread.copy_group = 0;
      thread.stack = stack_of(static_cast<size_t>(thread.order));
      thread.stack_pointer = fresh_fibre(thread.stack, run_thread);
      ready.push_back(&thread);
    }
  }
  for (unsigned i = 0; i < of_warp * launch.cluster; ++i) {
    warps[i].meeting.arrived = 0;
    warps[i].meetings = 0;
  }
  if (seed == 1) std::reverse(ready.begin(), ready.end());
}

void run_cluster(int64_t first_block) {
  begin_cluster(first_block);
  unsigned ended = 0;
  while (ended < launch.cluster_threads()) {
    Thread* const thread = take_ready();
    if (thread == nullptr) fail_on_host("deadlock: " + describe_waiting());
    current = thread;
    switch_fibre(&host_stack_pointer, thread->stack_pointer, thread->stack);
    current = nullptr;
    if (!failure.empty()) fail_on_host(failure);
    if (thread->waiting == Waiting::kEnded) {
      ++ended;
      thread_ended(*thread);
    }
    if (next_ready > 4096) {
      ready.erase(ready.begin(), ready.begin() + static_cast<int64_t>(next_ready));
      next_ready = 0;
    }
  }
}

// Blocks of a large grid in an order that needs no memory: every number once, by a step that shares no factor with them.
int64_t cluster_at(int64_t turn, int64_t clusters, int64_t first, int64_t step) {
  if (seed == 0) return turn;
  if (seed == 1) return clusters - 1 - turn;
  return static_cast<int64_t>((static_cast<__int128>(turn) * step + first) % clusters);
}

}  // namespace

uint32_t random_number() {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return static_cast<uint32_t>(random_state >> 16);
}

std::vector<Thread>& threads_of_cluster() { return threads; }

void make_ready(Thread& thread) {
  thread.waiting = Waiting::kNo;
  ready.push_back(&thread);
}

void wait_for(Waiting what, Site site) {
  Thread& thread = *current;
  if (what != Waiting::kNo) thread.waiting = what;
  thread.site = site;
  switch_fibre(&thread.stack_pointer, host_stack_pointer, nullptr);
}

void fail(const char* format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (current == nullptr) fail_on_host(text);
  failure = text;
  switch_fibre(&current->stack_pointer, host_stack_pointer, nullptr);
  __builtin_unreachable();
}

void fail_on_host(const std::string& message) {
  // Before anything is cleared: `message` may be the failure of a thread.
  const std::string text = "emulated CUDA: " + message + "; in " + name_of(launch.kernel.address);
  current = nullptr;
  failure.clear();
  launch_ended(true);
  throw std::runtime_error(text);
}

cudaError_t run(const cudaLaunchConfig_t& config, const Kernel& kernel) {
  const std::lock_guard<std::mutex> lock(one_launch);
  unsigned cluster = 1;
  if (config.numAttrs > 0) cluster = config.attrs[0].val.clusterDim.x;
  const cudaError_t error = check_launch(config, kernel, cluster);
  if (error != cudaSuccess) return error;

  launch.kernel = kernel;
  launch.threads = config.blockDim.x;
  launch.blocks = config.gridDim.x;
  launch.cluster = cluster;
  launch.dynamic_bytes = static_cast<int64_t>(config.dynamicSmemBytes);
  launch.variables.clear();
  launch.static_bytes = 0;
  launch.in_cluster.resize(cluster);
  threads.resize(launch.cluster_threads());
  block_dim = {launch.threads, 1, 1};
  grid_dim = {config.gridDim.x, 1, 1};
  cluster_blocks = cluster;
  random_state = seed * 0x9e3779b97f4a7c15u + 1;
  failure.clear();
  launch_begins();

  const int64_t clusters = launch.blocks / cluster;
  int64_t step = static_cast<int64_t>(random_number()) % clusters + 1;
  while (std::gcd(step, clusters) != 1) ++step;
  const int64_t first = static_cast<int64_t>(random_number()) % clusters;
  for (int64_t turn = 0; turn < clusters; ++turn) run_cluster(cluster_at(turn, clusters, first, step) * cluster);
  launch_ended(false);
  return cudaSuccess;
}

}  // namespace emulator
