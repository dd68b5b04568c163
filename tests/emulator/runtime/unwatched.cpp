// The plain variant and the sanitizers' watch no memory themselves.

#include "hooks.h"

namespace emulator {

void launch_begins() {}
void launch_ended(bool) {}
void block_begins(Block&) {}
void thread_ended(Thread&) {}
void note_access(const void*, int, bool, Site) {}
void note_atomic(const void*, int) {}
void note_copy_begins(const AsyncCopy&, Site) {}
void note_copy_ends(const Thread&, const AsyncCopy&) {}
void note_barrier() {}
void note_matrix_rows(const uint32_t*, int, Site) {}

}  // namespace emulator
