// Functions that take a GPU many instructions, one of each name, which the counting variant counts.

#pragma once

#include <cmath>

namespace emulator::counted {

enum Function { kExp, kLog, kLog1p, kPow, kSqrt, kTanh, kFunctions };

#ifdef EMULATOR_COUNTS
void count(Function function);
#else
inline void count(Function) {}
#endif

#define EMULATOR_COUNTED(name, function)         \
  template <typename T, typename... More>        \
  inline auto name(T value, More... more) {      \
    count(function);                             \
    return std::name(value, more...);            \
  }
EMULATOR_COUNTED(exp, kExp)
EMULATOR_COUNTED(log, kLog)
EMULATOR_COUNTED(log1p, kLog1p)
EMULATOR_COUNTED(pow, kPow)
EMULATOR_COUNTED(sqrt, kSqrt)
EMULATOR_COUNTED(tanh, kTanh)
#undef EMULATOR_COUNTED

}  // namespace emulator::counted
