// The qualifiers of a formula, which nvcc compiles for host and device and other compilers for the host alone.

#pragma once

#ifdef __CUDACC__
#define EBGAN_HOST_DEVICE __host__ __device__ __forceinline__
#else
// Formulas are always inlined: files are compiled for several instruction sets, and a shared out-of-line copy
// could be the AVX-512 one.
#define EBGAN_HOST_DEVICE inline __attribute__((always_inline))
#endif
