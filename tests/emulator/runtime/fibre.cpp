// The switch of x86-64 and of aarch64: the registers that a function must keep go onto the stack that is left.

#include "fibre.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__x86_64__)
asm(R"(
.text
.globl emulator_switch_stack
.hidden emulator_switch_stack
.type emulator_switch_stack, @function
emulator_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emulator_switch_stack, .-emulator_switch_stack
)");
#elif defined(__aarch64__)
asm(R"(
.text
.globl emulator_switch_stack
.hidden emulator_switch_stack
.type emulator_switch_stack, %function
emulator_switch_stack:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size emulator_switch_stack, .-emulator_switch_stack
)");
#else
#error "tests/emulator/runtime/fibre.cpp has no switch for this processor; write one beside those of x86-64 and aarch64"
#endif

extern "C" void emulator_switch_stack(void** from, void* to);

namespace emulator {
namespace {

constexpr size_t kPage = 4096;

}  // namespace

char* stack_of(size_t index) {
  static std::vector<char*> stacks;
  while (stacks.size() <= index) {
    void* const memory = mmap(nullptr, kPage + kStackBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, kPage, PROT_NONE) != 0) std::abort();
    stacks.push_back(static_cast<char*>(memory) + kPage);
  }
  return stacks[index];
}

void* fresh_fibre(char* stack, void (*entry)()) {
  uintptr_t* place = reinterpret_cast<uintptr_t*>(stack + kStackBytes);
#if defined(__x86_64__)
  *--place = 0;  // where a return address would lie: the entry finds its stack as a called function does
  *--place = reinterpret_cast<uintptr_t>(entry);
  for (int i = 0; i < 6; ++i) *--place = 0;
#else
  place -= 20;
  for (int i = 0; i < 20; ++i) place[i] = 0;
  place[11] = reinterpret_cast<uintptr_t>(entry);  // x30, the link register
#endif
  return place;
}

#if defined(__SANITIZE_ADDRESS__)

// AddressSanitizer must know on which stack a program runs.
static const void* host_stack = nullptr;
static size_t host_stack_bytes = 0;

void switch_fibre(void** from, void* to, const char* stack) {
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, stack ? stack : host_stack, stack ? kStackBytes : host_stack_bytes);
  emulator_switch_stack(from, to);
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
}

void fibre_begins() { __sanitizer_finish_switch_fiber(nullptr, &host_stack, &host_stack_bytes); }

#else

void switch_fibre(void** from, void* to, const char*) { emulator_switch_stack(from, to); }

void fibre_begins() {}

#endif

}  // namespace emulator
