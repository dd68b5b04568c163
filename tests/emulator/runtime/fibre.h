// Fibres: a thread of the device keeps its place on a stack of its own, and the host switches between them.

#pragma once

#include <cstddef>

namespace emulator {

#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kStackBytes = 512 * 1024;  // red zones of unrolled kernels are large
#else
constexpr size_t kStackBytes = 64 * 1024;
#endif

// Stacks of a fixed size, each above a page that no one may touch; kept from launch to launch.
char* stack_of(size_t index);

// Makes a fresh fibre on a stack: what switch_stack switches to, and `entry` begins. `entry` never returns.
void* fresh_fibre(char* stack, void (*entry)());

// Leaves the caller's place in *from, and goes on at `to`. `stack` is the one that `to` lies on; null: the host's.
void switch_fibre(void** from, void* to, const char* stack);

// What a fibre must call first.
void fibre_begins();

}  // namespace emulator
