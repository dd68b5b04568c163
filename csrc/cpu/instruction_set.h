// The instruction set that the CPU kernels run with, and the tables of kernels compiled for each.

#pragma once

namespace ebgan {

// The baseline is what every processor of an architecture has: SSE2 on x86-64, NEON on Arm of 64 bits.
enum class InstructionSet : int { kBaseline = 0, kAvx2 = 1, kAvx512 = 2 };

// The widest set that both the build and this processor have, or a narrower one that a test has set.
InstructionSet instruction_set();

}  // namespace ebgan

// Files named *_kernels.cpp are compiled once per instruction set and define `table`, of type Table, in the
// set's namespace. This macro declares them and defines chooser(), which returns the one to run.
#if defined(EBGAN_X86)
#define EBGAN_KERNEL_TABLES(Table, table, chooser)                          \
  namespace avx512 {                                                        \
  extern const Table table;                                                 \
  }                                                                         \
  namespace avx2 {                                                          \
  extern const Table table;                                                 \
  }                                                                         \
  namespace baseline {                                                      \
  extern const Table table;                                                 \
  }                                                                         \
  inline const Table& chooser() {                                           \
    if (instruction_set() == InstructionSet::kAvx512) return avx512::table; \
    if (instruction_set() == InstructionSet::kAvx2) return avx2::table;     \
    return baseline::table;                                                 \
  }
#else
#define EBGAN_KERNEL_TABLES(Table, table, chooser) \
  namespace baseline {                             \
  extern const Table table;                        \
  }                                                \
  inline const Table& chooser() { return baseline::table; }
#endif
