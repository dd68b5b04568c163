// What translated kernels call: shared memory, barriers, exchanges between the lanes of a warp, PTX.

#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <type_traits>

#include "emulator/thread.h"

namespace emulator {

// Stops the launch with an error that names the kernel and the place, as a C++ exception on the host.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

// As default arguments: the line of the caller. The address of a call would differ where the compiler has copied it.
#define EMULATOR_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

// --- shared memory -------------------------------------------------------------------------------

void* static_shared_memory(const void* key, int64_t bytes, int64_t alignment);
void* dynamic_shared_memory();
void* in_rank(const void* pointer, unsigned rank);  // the same place in another block of the cluster
unsigned shared_address(const void* pointer);       // what __cvta_generic_to_shared gives

template <typename T>
T& static_shared(const void* key, int64_t alignment) {
  return *static_cast<T*>(static_shared_memory(key, sizeof(T), alignment));
}

template <typename T>
T* dynamic_shared() {
  return static_cast<T*>(dynamic_shared_memory());
}

inline void check_aligned(const void* from, size_t bytes, Site site) {
  if (reinterpret_cast<uintptr_t>(from) % bytes == 0) return;
  fail("a load of %zu bytes in %s:%d from %p is not aligned", bytes, site.file, site.line, from);
}

// --- barriers ------------------------------------------------------------------------------------

void sync_block(Site site);
int sync_block_or(int predicate, Site site);
void sync_warp(unsigned mask, Site site);
void cluster_arrive(Site site);
void cluster_wait(Site site);

// --- lanes ---------------------------------------------------------------------------------------

enum class Exchange { kXor, kUp, kDown, kIndex, kBallot };

// A value of at most 16 bytes, from the lane that `argument` names.
void exchange(Exchange kind, unsigned mask, const void* value, int bytes, int argument, int width, void* result,
              Site site);

template <typename T>
T exchange_value(Exchange kind, unsigned mask, T value, int argument, int width, Site site) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 16);
  T result;
  exchange(kind, mask, &value, sizeof(T), argument, width, &result, site);
  return result;
}

// --- atomics -------------------------------------------------------------------------------------

void note_atomic(const void* address, int bytes);

// --- PTX -----------------------------------------------------------------------------------------

struct Operand {
  const char* constraint;  // "=r", "l", ..., as in the asm statement
  void* target;            // of an output
  uint64_t bits;           // of an input, or of an output that is read, too
};

template <typename T>
Operand output(const char* constraint, T& target) {
  static_assert(sizeof(T) <= 8);
  Operand operand = {constraint, &target, 0};
  if (constraint[0] == '+') std::memcpy(&operand.bits, &target, sizeof(T));
  return operand;
}

template <typename T>
Operand input(const char* constraint, const T& value) {
  static_assert(sizeof(T) <= 8);
  Operand operand = {constraint, nullptr, 0};
  std::memcpy(&operand.bits, &value, sizeof(T));
  return operand;
}

struct Instruction;
const Instruction& decode(const char* text);
void execute(const Instruction& instruction, std::initializer_list<Operand> operands, EMULATOR_HERE);

}  // namespace emulator
