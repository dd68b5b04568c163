// Instructions that the lanes of a warp carry out together.

#pragma once

#include <cstdint>

#include "emulator/thread.h"

namespace emulator {

// Computes the results of all lanes from what they left: (lane) -> pointers into the meeting.
using Together = void (*)(Meeting& meeting, uint32_t mask, char (*results)[32], Site site);

// The lane that runs leaves `bytes` and waits for the others of `mask`; returns where its result lies.
const char* meet(uint32_t mask, const void* what, Together together, const void* value, int bytes, Site site);

}  // namespace emulator
