// What GCC's -fsanitize-coverage=trace-pc,trace-cmp calls, passed on to the libFuzzer that atheris brings.
//
// GCC knows no inline counters: it calls a function at every edge. Each place of the code has a counter here, which
// libFuzzer is given when this library is loaded, so the fuzzer must be there already; EBGAN_LIBFUZZER names its file.
// Its functions are asked for by name, since the sanitizers' runtime, loaded first, has empty ones of the same names.

#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr uintptr_t kCounters = 1 << 16;  // one for each four bytes of code
uint8_t counters[kCounters];
uintptr_t places[2 * kCounters];  // address and flags of each
uintptr_t base;
void* fuzzer;

[[noreturn]] void fail(const char* what) {
  const char* const reason = dlerror();
  std::fprintf(stderr, "coverage.cpp: %s: %s\n", what, reason ? reason : "not there");
  std::abort();
}

template <typename Function>
Function* of_fuzzer(const char* name) {
  void* const found = dlsym(fuzzer, name);
  if (!found) fail(name);
  return reinterpret_cast<Function*>(found);
}

using Compare1 = void(uint8_t, uint8_t);
using Compare2 = void(uint16_t, uint16_t);
using Compare4 = void(uint32_t, uint32_t);
using Compare8 = void(uint64_t, uint64_t);
using Switch = void(uint64_t, uint64_t*);
Compare1 *compare1, *compare_const1;
Compare2 *compare2, *compare_const2;
Compare4 *compare4, *compare_const4;
Compare8 *compare8, *compare_const8;
Switch* compare_switch;

__attribute__((constructor)) void begin() {
  Dl_info here;
  const char* const file = std::getenv("EBGAN_LIBFUZZER");
  if (!file) fail("EBGAN_LIBFUZZER");
  if (!dladdr(counters, &here)) fail("the address of this library");
  base = reinterpret_cast<uintptr_t>(here.dli_fbase);
  fuzzer = dlopen(file, RTLD_NOW | RTLD_NOLOAD);
  if (!fuzzer) fail(file);
  compare1 = of_fuzzer<Compare1>("__sanitizer_cov_trace_cmp1");
  compare2 = of_fuzzer<Compare2>("__sanitizer_cov_trace_cmp2");
  compare4 = of_fuzzer<Compare4>("__sanitizer_cov_trace_cmp4");
  compare8 = of_fuzzer<Compare8>("__sanitizer_cov_trace_cmp8");
  compare_const1 = of_fuzzer<Compare1>("__sanitizer_cov_trace_const_cmp1");
  compare_const2 = of_fuzzer<Compare2>("__sanitizer_cov_trace_const_cmp2");
  compare_const4 = of_fuzzer<Compare4>("__sanitizer_cov_trace_const_cmp4");
  compare_const8 = of_fuzzer<Compare8>("__sanitizer_cov_trace_const_cmp8");
  compare_switch = of_fuzzer<Switch>("__sanitizer_cov_trace_switch");
  for (uintptr_t i = 0; i < kCounters; ++i) places[2 * i] = base + 4 * i;
  of_fuzzer<void(uint8_t*, uint8_t*)>("__sanitizer_cov_8bit_counters_init")(counters, counters + kCounters);
  of_fuzzer<void(const uintptr_t*, const uintptr_t*)>("__sanitizer_cov_pcs_init")(places,
                                                                                  places + 2 * kCounters);
}

}  // namespace

// The calls of comparisons are jumps, so that the fuzzer sees who compares. Constructors of other files may come first.
extern "C" {
void __sanitizer_cov_trace_pc() {
  const uintptr_t caller = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  ++counters[(caller - base) / 4 % kCounters];
}
void __sanitizer_cov_trace_cmp1(uint8_t a, uint8_t b) {
  if (compare1) compare1(a, b);
}
void __sanitizer_cov_trace_cmp2(uint16_t a, uint16_t b) {
  if (compare2) compare2(a, b);
}
void __sanitizer_cov_trace_cmp4(uint32_t a, uint32_t b) {
  if (compare4) compare4(a, b);
}
void __sanitizer_cov_trace_cmp8(uint64_t a, uint64_t b) {
  if (compare8) compare8(a, b);
}
void __sanitizer_cov_trace_const_cmp1(uint8_t a, uint8_t b) {
  if (compare_const1) compare_const1(a, b);
}
void __sanitizer_cov_trace_const_cmp2(uint16_t a, uint16_t b) {
  if (compare_const2) compare_const2(a, b);
}
void __sanitizer_cov_trace_const_cmp4(uint32_t a, uint32_t b) {
  if (compare_const4) compare_const4(a, b);
}
void __sanitizer_cov_trace_const_cmp8(uint64_t a, uint64_t b) {
  if (compare_const8) compare_const8(a, b);
}
void __sanitizer_cov_trace_cmpf(float, float) {}
void __sanitizer_cov_trace_cmpd(double, double) {}
void __sanitizer_cov_trace_switch(uint64_t value, uint64_t* cases) {
  if (compare_switch) compare_switch(value, cases);
}
}
