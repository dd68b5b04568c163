// Functions that are compiled twice, with one version chosen when the module is loaded: with the baseline
// instructions of x86-64 the compiler leaves loops over bytes scalar.
#pragma once

#if defined(__x86_64__) && defined(__gnu_linux__)
#define EBGAN_WITH_AVX2 __attribute__((target_clones("avx2", "default")))
#else
#define EBGAN_WITH_AVX2
#endif
