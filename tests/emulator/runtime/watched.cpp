// What the compiler calls at every access to memory under -fsanitize=thread, whose own runtime is not linked.

#include <link.h>

#include "emulator/device_api.h"
#include "fibre.h"
#include "hooks.h"
#include "launch.h"
#include "watch.h"

namespace emulator {
namespace {

struct Range {
  const char* begin = nullptr;
  const char* end = nullptr;

  bool holds(const void* address) const { return address >= begin && address < end; }
};

// The part of this library that the loader has mapped.
Range library_range() {
  Range range;
  const auto add = [](dl_phdr_info* info, size_t, void* to) {
    Range& range = *static_cast<Range*>(to);
    const char* const base = reinterpret_cast<const char*>(info->dlpi_addr);
    Range mapped = {base + (1ul << 62), base};
    for (int i = 0; i < info->dlpi_phnum; ++i) {
      const ElfW(Phdr)& part = info->dlpi_phdr[i];
      if (part.p_type != PT_LOAD) continue;
      const char* const begin = base + part.p_vaddr;
      if (begin < mapped.begin) mapped.begin = begin;
      if (begin + part.p_memsz > mapped.end) mapped.end = begin + part.p_memsz;
    }
    if (!mapped.holds(reinterpret_cast<const void*>(&space_of))) return 0;
    range = mapped;
    return 1;
  };
  dl_iterate_phdr(add, &range);
  return range;
}

void report(const void* address, int64_t bytes, bool write, const void* code) {
  if (current == nullptr) return;
  const Space space = space_of(address);
  if (space != Space::kOther) watch(address, bytes, write, space, code);
}

}  // namespace

Space space_of(const void* address) {
  static const Range library = library_range();
  static const Range shared = {shared_arenas(), shared_arenas() + kMostClusterBlocks * kSharedArena};
  const char* const stack = current->stack;
  if (address >= stack && address < stack + kStackBytes) return Space::kOther;
  if (shared.holds(address)) return Space::kShared;
  // The runtime's own, which threadIdx and its like read.
  const std::vector<Thread>& threads = threads_of_cluster();
  if (address >= threads.data() && address < threads.data() + threads.size()) return Space::kOther;
  const std::vector<Block>& blocks = launch.in_cluster;
  if (address >= blocks.data() && address < blocks.data() + blocks.size()) return Space::kOther;
  const char* const arguments = static_cast<const char*>(launch.kernel.arguments);
  if (address >= arguments && address < arguments + launch.kernel.argument_bytes) return Space::kOther;
  if (library.holds(address)) return Space::kOther;
  return Space::kGlobal;
}

void note_access(const void* address, int bytes, bool write, Site) {
  report(address, bytes, write, __builtin_return_address(0));
}

}  // namespace emulator

#define EMULATOR_CALLBACK(name, bytes, write)                                            \
  extern "C" void name(void* address) {                                                  \
    ::emulator::report(address, bytes, write, __builtin_return_address(0));              \
  }
#define EMULATOR_CALLBACKS(bytes)                              \
  EMULATOR_CALLBACK(__tsan_read##bytes, bytes, false)          \
  EMULATOR_CALLBACK(__tsan_write##bytes, bytes, true)          \
  EMULATOR_CALLBACK(__tsan_unaligned_read##bytes, bytes, false) \
  EMULATOR_CALLBACK(__tsan_unaligned_write##bytes, bytes, true)
EMULATOR_CALLBACKS(1)
EMULATOR_CALLBACKS(2)
EMULATOR_CALLBACKS(4)
EMULATOR_CALLBACKS(8)
EMULATOR_CALLBACKS(16)

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_read_range(void* address, unsigned long bytes) {
  ::emulator::report(address, static_cast<int64_t>(bytes), false, __builtin_return_address(0));
}
void __tsan_write_range(void* address, unsigned long bytes) {
  ::emulator::report(address, static_cast<int64_t>(bytes), true, __builtin_return_address(0));
}
// The host's code has these, in guards of static variables and in shared pointers.
int __tsan_atomic32_fetch_add(volatile int* address, int value, int) {
  return __atomic_fetch_add(address, value, __ATOMIC_SEQ_CST);
}
char __tsan_atomic8_load(const volatile char* address, int) { return __atomic_load_n(address, __ATOMIC_ACQUIRE); }
}
