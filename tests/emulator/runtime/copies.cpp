// cp.async: a copy happens when its thread waits for it, as late as that allows; with a random seed often earlier.

#include "copies.h"

#include <cstring>

#include "emulator/device_api.h"
#include "hooks.h"
#include "launch.h"

namespace emulator {
namespace {

constexpr int kBytes = 16;

void carry_out(const AsyncCopy& copy) {
  std::memcpy(copy.to, copy.from, static_cast<size_t>(copy.bytes_read));
  std::memset(copy.to + copy.bytes_read, 0, static_cast<size_t>(kBytes - copy.bytes_read));
  note_copy_ends(*current, copy);
}

}  // namespace

void copy_async(uint32_t to, const void* from, int bytes_read, Site site) {
  if (to % kBytes != 0 || (bytes_read > 0 && reinterpret_cast<uintptr_t>(from) % kBytes != 0)) {
    fail("cp.async of 16 bytes in %s:%d is not aligned: to 0x%x in shared memory, from %p", site.file, site.line, to,
         from);
  }
  if (to + kBytes > kSharedArena || bytes_read < 0 || bytes_read > kBytes) {
    fail("cp.async in %s:%d reads %d of 16 bytes to 0x%x in shared memory", site.file, site.line, bytes_read, to);
  }
  Thread& thread = *current;
  const AsyncCopy copy = {thread.block->shared + to, static_cast<const char*>(from), bytes_read, thread.copy_group};
  if (bytes_read > 0) note_access(from, bytes_read, false, site);
  note_copy_begins(copy, site);
  if (seed > 1 && random_number() % 2 == 0) {
    // Early: the data is there, and yet nobody may rely on it.
    std::memcpy(copy.to, copy.from, static_cast<size_t>(copy.bytes_read));
    std::memset(copy.to + copy.bytes_read, 0, static_cast<size_t>(kBytes - copy.bytes_read));
  }
  thread.copies.push_back(copy);
}

void end_copy_group() { ++current->copy_group; }

void finish_copies(Thread& thread, int groups_left) {
  const int open = thread.copy_group - groups_left;
  size_t done = 0;
  while (done < thread.copies.size() && thread.copies[done].group < open) carry_out(thread.copies[done++]);
  thread.copies.erase(thread.copies.begin(), thread.copies.begin() + static_cast<int64_t>(done));
}

}  // namespace emulator
