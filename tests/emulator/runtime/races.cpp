// Races: two accesses to the same memory by different threads, one of them a write, with nothing between them that
// orders them; and reads of shared memory that nobody has written.
//
// Ordered are: accesses of one thread; of a block, those with a barrier between; of a warp, those with __syncwarp
// between; of a cluster, those before a thread arrives at the barrier and those after another has waited for it.
// Between other blocks of a launch nothing is ordered. For each 2 bytes the last write and two reads are kept.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <unordered_map>

#include "emulator/device_api.h"
#include "hooks.h"
#include "launch.h"
#include "watch.h"

namespace emulator {
namespace {

constexpr int kGranule = 2;
constexpr uintptr_t kPage = 4096;
constexpr size_t kMostPages = 4096;  // 1 GB of cells, before a launch

struct Event {
  const void* code = nullptr;
  int64_t block = -1;  // -1: there is none
  int32_t thread = 0;
  Clock clock;
  bool under_way = false;  // a cp.async that its thread has not waited for
};

struct Cell {
  uint64_t serial = 0;  // of the block, or of the launch, whose accesses these are
  Event write;
  Event reads[2];
};

struct Page {
  Cell cells[kPage / kGranule];
};

std::unordered_map<uintptr_t, std::unique_ptr<Page>> pages;
uint64_t launch_serial = 0;
uint64_t block_serials[kMostClusterBlocks] = {};
uint64_t last_block_serial = 0;

Cell& cell_of(uintptr_t address, Space space) {
  static uintptr_t last_page = 0;
  static Page* last = nullptr;
  const uintptr_t page = address / kPage;
  if (page != last_page || last == nullptr || pages.empty()) {
    std::unique_ptr<Page>& found = pages[page];
    if (!found) found = std::make_unique<Page>();
    last_page = page;
    last = found.get();
  }
  Cell& cell = last->cells[address % kPage / kGranule];
  const uint64_t serial =
      space == Space::kGlobal
          ? launch_serial
          : block_serials[(address - reinterpret_cast<uintptr_t>(shared_arenas())) / kSharedArena];
  if (cell.serial != serial) {
    cell = {};
    cell.serial = serial;
  }
  return cell;
}

bool happened_before(const Event& event, const Thread& thread) {
  if (event.block == thread.block->number) {
    if (event.thread == thread.number) return true;
    if (event.clock.block_barriers < thread.clock.block_barriers) return true;
    if (event.thread / kWarpLanes == thread.number / kWarpLanes &&
        event.clock.warp_barriers < thread.clock.warp_barriers) {
      return true;
    }
  }
  const int64_t cluster = launch.cluster;
  return event.block / cluster == thread.block->number / cluster &&
         event.clock.cluster_arrivals < thread.clock.cluster_waits;
}

[[noreturn]] void race(const char* what, const Event& before, const Thread& thread, const void* code, Space space) {
  fail("race in %s memory: thread %d of block %ld %s in %s what thread %d of block %ld %s in %s, and nothing orders them",
       space == Space::kGlobal ? "global" : "shared", thread.number, static_cast<long>(thread.block->number), what,
       place_of(code).c_str(), before.thread, static_cast<long>(before.block),
       before.under_way ? "still copies" : "accessed", place_of(before.code).c_str());
}

void access(Thread& thread, uintptr_t address, int64_t bytes, bool write, bool under_way, Space space,
            const void* code) {
  const Event event = {code, thread.block->number, thread.number, thread.clock, under_way};
  for (uintptr_t at = address / kGranule * kGranule; at < address + static_cast<uintptr_t>(bytes); at += kGranule) {
    Cell& cell = cell_of(at, space);
    const Event& last = cell.write;
    if (last.block >= 0 && (last.under_way || !happened_before(last, thread))) {
      race(write ? "writes" : "reads", last, thread, code, space);
    }
    if (!write) {
      if (space == Space::kShared && last.block < 0) {
        fail("thread %d of block %ld reads shared memory in %s that nobody has written", thread.number,
             static_cast<long>(thread.block->number), place_of(code).c_str());
      }
      const bool first_is_free = cell.reads[0].block < 0 || happened_before(cell.reads[0], thread);
      cell.reads[first_is_free ? 0 : 1] = event;
      continue;
    }
    for (Event& read : cell.reads) {
      if (read.block >= 0 && !happened_before(read, thread)) race("writes", read, thread, code, space);
      read.block = -1;
    }
    cell.write = event;
  }
}

}  // namespace

void watch(const void* address, int64_t bytes, bool write, Space space, const void* code) {
  access(*current, reinterpret_cast<uintptr_t>(address), bytes, write, false, space, code);
}

// Atomics are ordered with each other; against other accesses they count as neither here.
void note_atomic(const void*, int) {}

void note_copy_begins(const AsyncCopy& copy, Site) {
  access(*current, reinterpret_cast<uintptr_t>(copy.to), 16, true, true, Space::kShared, __builtin_return_address(0));
}

void note_copy_ends(const Thread& thread, const AsyncCopy& copy) {
  for (int i = 0; i < 16; i += kGranule) {
    Event& write = cell_of(reinterpret_cast<uintptr_t>(copy.to) + static_cast<uintptr_t>(i), Space::kShared).write;
    write.clock = thread.clock;
    write.under_way = false;
  }
}

void note_matrix_rows(const uint32_t* addresses, int rows, Site) {
  const int first = current->order - current->lane();
  for (int lane = 0; lane < rows; ++lane) {
    Thread& thread = threads_of_cluster()[static_cast<size_t>(first + lane)];
    access(thread, reinterpret_cast<uintptr_t>(thread.block->shared + addresses[lane]), 16, false, false,
           Space::kShared, __builtin_return_address(0));
  }
}

void launch_begins() {
  ++launch_serial;
  if (pages.size() > kMostPages) pages.clear();
}
void launch_ended(bool) {}
void block_begins(Block& block) { block_serials[block.rank] = ++last_block_serial; }
void thread_ended(Thread&) {}
void note_barrier() {}

}  // namespace emulator
