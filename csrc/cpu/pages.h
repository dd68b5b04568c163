// Asks for huge pages for new memory, where the operating system offers them.

#pragma once

#include <cstdint>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace ebgan {

// Gradients of more bytes than this are streamed, since they would not stay in a second-level cache.
constexpr int64_t kStreamedBytes = int64_t{2} << 20;

// A gradient of 12.6 MB has 3,072 pages of 4 KiB, each of which faults at its first touch, or 6 huge pages. Only
// whole huge pages inside the buffer are advised, and only where the buffer has several.
inline void prefer_huge_pages(void* data, int64_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr uintptr_t kHugePage = uintptr_t{2} << 20;
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(data) + kHugePage - 1) & ~(kHugePage - 1);
  const uintptr_t end =
      (reinterpret_cast<uintptr_t>(data) + static_cast<uintptr_t>(bytes)) & ~(kHugePage - 1);
  if (end > begin + kHugePage) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
  static_cast<void>(data);
  static_cast<void>(bytes);
#endif
}

}  // namespace ebgan
