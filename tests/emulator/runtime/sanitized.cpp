// The line of a kernel behind a report of AddressSanitizer, whose own stack has no lines of templates (GCC 12).

#include <sanitizer/asan_interface.h>

#include <cstdio>

#include "launch.h"

namespace emulator {
namespace {

void name_place(const char*) {
  if (current == nullptr) return;
  std::fprintf(stderr, "emulated CUDA: reported in %s, in %s\n", place_of(__asan_get_report_pc()).c_str(),
               name_of(launch.kernel.address).c_str());
}

[[gnu::constructor]] void listen() { __asan_set_error_report_callback(name_place); }

}  // namespace
}  // namespace emulator
