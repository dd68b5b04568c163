// Copies from global to shared memory that finish later.

#pragma once

#include <cstdint>

#include "emulator/thread.h"

namespace emulator {

// 16 bytes to an address in shared memory, of which those behind `bytes_read` are zeros.
void copy_async(uint32_t to, const void* from, int bytes_read, Site site);
void end_copy_group();

}  // namespace emulator
