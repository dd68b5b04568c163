// Eight fibres take turns. Each holds numbers of its own in all registers that a function must keep, and finds them there
// after every turn of the others. Prints "kept", or which fibre has lost a number.

#include "fibre.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

// Puts `first` and the numbers behind it into the registers and calls `leave`; returns `first`, or -1 if one has changed.
extern "C" int64_t hold_registers(int64_t first, void (*leave)());

#if defined(__x86_64__)
asm(R"(
.text
hold_registers:
  pushq %rbx
  pushq %rbp
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  subq $8, %rsp
  movq %rdi, %rbx
  leaq 1(%rdi), %rbp
  leaq 2(%rdi), %r12
  leaq 3(%rdi), %r13
  leaq 4(%rdi), %r14
  leaq 5(%rdi), %r15
  call *%rsi
  movq %rbx, %rax
  leaq 1(%rbx), %rcx
  cmpq %rcx, %rbp
  jne 1f
  leaq 2(%rbx), %rcx
  cmpq %rcx, %r12
  jne 1f
  leaq 3(%rbx), %rcx
  cmpq %rcx, %r13
  jne 1f
  leaq 4(%rbx), %rcx
  cmpq %rcx, %r14
  jne 1f
  leaq 5(%rbx), %rcx
  cmpq %rcx, %r15
  jne 1f
  jmp 2f
1:
  movq $-1, %rax
2:
  addq $8, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbp
  popq %rbx
  ret
)");
#else
asm(R"(
.text
hold_registers:
  sub sp, sp, #176
  str x30, [sp, #160]
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  add x19, x0, #0
  add x20, x0, #1
  add x21, x0, #2
  add x22, x0, #3
  add x23, x0, #4
  add x24, x0, #5
  add x25, x0, #6
  add x26, x0, #7
  add x27, x0, #8
  add x28, x0, #9
  fmov d8, x19
  fmov d9, x20
  fmov d10, x21
  fmov d11, x22
  fmov d12, x23
  fmov d13, x24
  fmov d14, x25
  fmov d15, x26
  blr x1
  mov x0, x19
  sub x9, x20, x19
  cmp x9, #1
  b.ne 1f
  sub x9, x21, x19
  cmp x9, #2
  b.ne 1f
  sub x9, x22, x19
  cmp x9, #3
  b.ne 1f
  sub x9, x23, x19
  cmp x9, #4
  b.ne 1f
  sub x9, x24, x19
  cmp x9, #5
  b.ne 1f
  sub x9, x25, x19
  cmp x9, #6
  b.ne 1f
  sub x9, x26, x19
  cmp x9, #7
  b.ne 1f
  sub x9, x27, x19
  cmp x9, #8
  b.ne 1f
  sub x9, x28, x19
  cmp x9, #9
  b.ne 1f
  fmov x9, d8
  cmp x9, x19
  b.ne 1f
  fmov x9, d9
  cmp x9, x20
  b.ne 1f
  fmov x9, d10
  cmp x9, x21
  b.ne 1f
  fmov x9, d11
  cmp x9, x22
  b.ne 1f
  fmov x9, d12
  cmp x9, x23
  b.ne 1f
  fmov x9, d13
  cmp x9, x24
  b.ne 1f
  fmov x9, d14
  cmp x9, x25
  b.ne 1f
  fmov x9, d15
  cmp x9, x26
  b.ne 1f
  b 2f
1:
  mov x0, #-1
2:
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  ldr x30, [sp, #160]
  add sp, sp, #176
  ret
)");
#endif

namespace {

constexpr int kFibres = 8;
constexpr int kTurns = 100;

void* host = nullptr;
void* places[kFibres];
char* stacks[kFibres];
int running = 0;
int ended = 0;

void leave() { emulator::switch_fibre(&places[running], host, nullptr); }

void begin() {
  emulator::fibre_begins();
  const int fibre = running;
  // Vector instructions would fault on a stack that is not aligned.
  alignas(16) volatile double vector[2] = {1, 2};
  if (reinterpret_cast<uintptr_t>(&vector) % 16 != 0) std::exit(2);
  for (int turn = 0; turn < kTurns; ++turn) {
    const int64_t first = 1000 * (fibre + 1) + turn;
    if (hold_registers(first, leave) != first) {
      std::printf("fibre %d has lost a number\n", fibre);
      std::exit(1);
    }
  }
  ++ended;
  leave();
}

}  // namespace

int main() {
  for (int i = 0; i < kFibres; ++i) {
    stacks[i] = emulator::stack_of(static_cast<size_t>(i));
    places[i] = emulator::fresh_fibre(stacks[i], begin);
  }
  for (int turn = 0; turn <= kTurns; ++turn) {
    for (running = 0; running < kFibres; ++running) {
      emulator::switch_fibre(&host, places[running], stacks[running]);
    }
  }
  if (ended != kFibres) {
    std::printf("%d of %d fibres have ended\n", ended, kFibres);
    return 1;
  }
  std::puts("kept");
  return 0;
}
