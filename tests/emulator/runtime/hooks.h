// What the parts of the runtime tell each other, and what the variants that watch memory are told.

#pragma once

#include <cstdint>

#include "emulator/host_api.h"
#include "emulator/thread.h"

namespace emulator {

// devices.cpp: whether the emulated device takes a launch, and what a block may have.
cudaError_t check_launch(const cudaLaunchConfig_t& config, const Kernel& kernel, unsigned cluster);

// shared_memory.cpp: a block's shared memory is new.
void begin_block(Block& block);
char* shared_arenas();  // of all blocks of a cluster, one behind the other

// copies.cpp: what a thread has copied and not waited for.
void finish_copies(Thread& thread, int groups_left);

// Watchers of memory: nothing in the plain variant, races.cpp or counting.cpp in the others.
void launch_begins();
void launch_ended(bool failed);
void block_begins(Block& block);
void thread_ended(Thread& thread);
// An access that the runtime makes for a thread; `bytes` of global or shared memory.
void note_access(const void* address, int bytes, bool write, Site site);
// A copy into shared memory is under way from now on; it has finished for the thread that waited.
void note_copy_begins(const AsyncCopy& copy, Site site);
void note_copy_ends(const Thread& thread, const AsyncCopy& copy);
void note_barrier();
// Lanes of a warp load rows of 16 bytes from shared memory.
void note_matrix_rows(const uint32_t* addresses, int rows, Site site);

}  // namespace emulator
