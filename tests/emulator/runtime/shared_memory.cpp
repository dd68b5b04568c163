// Shared memory: each block of a cluster has an arena, which is NaN until a kernel writes it.

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "emulator/device_api.h"
#include "hooks.h"
#include "launch.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif

namespace emulator {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr int64_t kBetween = 64;  // bytes between variables, which no kernel may touch
#else
constexpr int64_t kBetween = 0;
#endif
constexpr int64_t kMostStaticBytes = 48 * 1024;

void open_memory(char* begin, int64_t bytes) {
  ASAN_UNPOISON_MEMORY_REGION(begin, static_cast<size_t>(bytes));
  std::memset(begin, 0xff, static_cast<size_t>(bytes));
}

int64_t aligned(int64_t offset, int64_t alignment) { return (offset + alignment - 1) / alignment * alignment; }

const SharedVariable& variable_of(const void* key, int64_t bytes, int64_t alignment) {
  for (const SharedVariable& variable : launch.variables) {
    if (variable.key == key) return variable;
  }
  const int64_t behind = launch.variables.empty() ? aligned(launch.dynamic_bytes, 128) + kBetween
                                                  : launch.variables.back().offset + launch.variables.back().bytes +
                                                        kBetween;
  launch.variables.push_back({key, aligned(behind, alignment), bytes});
  launch.static_bytes += bytes;
  if (launch.static_bytes > kMostStaticBytes || launch.static_bytes + launch.dynamic_bytes > launch.most_shared_bytes) {
    fail("a block has %ld bytes of static and %ld of dynamic shared memory, of which it may have %ld and %ld together",
         static_cast<long>(launch.static_bytes), static_cast<long>(launch.dynamic_bytes),
         static_cast<long>(kMostStaticBytes), static_cast<long>(launch.most_shared_bytes));
  }
  return launch.variables.back();
}

}  // namespace

char* shared_arenas() {
  static char* const arenas = static_cast<char*>(mmap(nullptr, kMostClusterBlocks * kSharedArena, PROT_READ | PROT_WRITE,
                                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (arenas == MAP_FAILED) std::abort();
  return arenas;
}

void begin_block(Block& block) {
  block.shared = shared_arenas() + block.rank * kSharedArena;
  ASAN_POISON_MEMORY_REGION(block.shared, kSharedArena);
  open_memory(block.shared, launch.dynamic_bytes);
  for (const SharedVariable& variable : launch.variables) open_memory(block.shared + variable.offset, variable.bytes);
  block.variables = launch.variables.size();
  block_begins(block);
}

void* static_shared_memory(const void* key, int64_t bytes, int64_t alignment) {
  const SharedVariable& variable = variable_of(key, bytes, alignment);
  Block& block = *current->block;
  while (block.variables < launch.variables.size()) {
    const SharedVariable& fresh = launch.variables[block.variables++];
    open_memory(block.shared + fresh.offset, fresh.bytes);
  }
  return block.shared + variable.offset;
}

void* dynamic_shared_memory() { return current->block->shared; }

void* in_rank(const void* pointer, unsigned rank) {
  const int64_t offset = static_cast<const char*>(pointer) - current->block->shared;
  if (offset < 0 || offset >= kSharedArena || rank >= launch.cluster) {
    fail("map_shared_rank of block %u of %u needs a pointer into the block's own shared memory", rank, launch.cluster);
  }
  const Block& block = launch.in_cluster[rank];
  if (block.ended == block.threads) {
    fail("block %ld reads the shared memory of block %ld, which has ended", static_cast<long>(current->block->number),
         static_cast<long>(block.number));
  }
  return block.shared + offset;
}

unsigned shared_address(const void* pointer) {
  const int64_t offset = static_cast<const char*>(pointer) - current->block->shared;
  if (offset < 0 || offset >= kSharedArena) fail("an address that is not in shared memory is taken for one that is");
  return static_cast<unsigned>(offset);
}

}  // namespace emulator
