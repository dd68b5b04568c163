// How a formula is compiled: for host and device by nvcc, for the host alone otherwise.

#pragma once

#ifdef __CUDACC__
#define EBGAN_HOST_DEVICE __host__ __device__ __forceinline__
#else
// Always inlined: files are compiled for several instruction sets, and a shared out-of-line copy could be the
// AVX-512 one.
#define EBGAN_HOST_DEVICE inline __attribute__((always_inline))
#endif
