// Eight fibres take turns. Each keeps as many numbers as there are registers that a call leaves alone, whole ones and
// fractions, and finds them as they were after every turn of the others. Prints "kept", or which fibre lost what.

#include "fibre.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr int kFibres = 8;
constexpr int kTurns = 1000;
constexpr int kNumbers = 8;

void* host = nullptr;
void* places[kFibres];
char* stacks[kFibres];
int running = 0;
int ended = 0;

void leave() { emulator::switch_fibre(&places[running], host, nullptr); }

[[gnu::noinline]] void take_turns(const int fibre) {
  uint64_t whole[kNumbers];
  double fractions[kNumbers];
  for (int i = 0; i < kNumbers; ++i) {
    whole[i] = static_cast<uint64_t>(1000 * fibre + i);
    fractions[i] = fibre + i / 32.0;
  }
  for (int turn = 0; turn < kTurns; ++turn) {
    // Unrolled, so that the compiler holds them in registers across the switch.
#pragma GCC unroll 8
    for (int i = 0; i < kNumbers; ++i) {
      whole[i] += static_cast<uint64_t>(i + 1);
      fractions[i] += 0.25;
    }
    leave();
  }
  for (int i = 0; i < kNumbers; ++i) {
    const bool right = whole[i] == static_cast<uint64_t>(1000 * fibre + i + kTurns * (i + 1)) &&
                       fractions[i] == fibre + i / 32.0 + kTurns * 0.25;
    if (!right) {
      std::printf("fibre %d has lost number %d\n", fibre, i);
      std::exit(1);
    }
  }
}

void begin() {
  emulator::fibre_begins();
  // A stack that is not aligned would fault in vector instructions.
  alignas(16) volatile double vector[2] = {1, 2};
  if (reinterpret_cast<uintptr_t>(&vector) % 16 != 0) std::exit(2);
  take_turns(running);
  ++ended;
  leave();
}

}  // namespace

int main() {
  for (int i = 0; i < kFibres; ++i) {
    stacks[i] = emulator::stack_of(static_cast<size_t>(i));
    places[i] = emulator::fresh_fibre(stacks[i], begin);
  }
  for (int turn = 0; turn <= kTurns; ++turn) {
    for (running = 0; running < kFibres; ++running) {
      emulator::switch_fibre(&host, places[running], stacks[running]);
    }
  }
  if (ended != kFibres) {
    std::printf("%d of %d fibres have ended\n", ended, kFibres);
    return 1;
  }
  std::puts("kept");
  return 0;
}
