// Accesses to memory, as the compiler's instrumentation reports them: races.cpp and counting.cpp watch them.

#pragma once

#include <cstdint>

#include "emulator/thread.h"

namespace emulator {

enum class Space { kGlobal, kShared, kOther };

// Where an address lies: other is the thread's own stack, a kernel's arguments and the library's constants.
Space space_of(const void* address);

// The thread that runs reads or writes global or shared memory; `code` is the address behind the instruction.
void watch(const void* address, int64_t bytes, bool write, Space space, const void* code);

}  // namespace emulator
