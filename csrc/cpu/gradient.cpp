// Operators that all families share on the CPU: one scales a gradient that the forward pass has computed, the
// others tell and limit the instruction set in use. For N elements:
//
//   scale_gradient_   1N read, 1N written; nothing for each part whose scale is 1

#include <algorithm>
#include <atomic>

#include "cpu/gradient_kernels.h"
#include "cpu/values.h"
#include "stable/parallel.h"

namespace ebgan {
namespace {

InstructionSet supported_instruction_set() {
#if defined(EBGAN_X86)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    return InstructionSet::kAvx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c")) {
    return InstructionSet::kAvx2;
  }
#endif
  return InstructionSet::kBaseline;
}

std::atomic<InstructionSet> chosen{supported_instruction_set()};

int64_t cpu_instruction_set() { return static_cast<int64_t>(instruction_set()); }

// Takes an instruction set no wider than `limit`, for tests and benchmarks, and returns the set now in use.
int64_t limit_cpu_instruction_set(int64_t limit) {
  chosen = std::min(supported_instruction_set(), static_cast<InstructionSet>(limit));
  return cpu_instruction_set();
}

void scale_gradient(const Tensor& gradient, const Tensor& scale) {
  constexpr int64_t kGrain = 65536;
  const int64_t parts = scale.numel();
  const int64_t of_part = parts == 0 ? 0 : gradient.numel() / parts;
  const int64_t stride = scale.dim() == 0 ? 0 : scale.stride(0);
  const void* factors = scale.const_data_ptr();
  const Dtype dtype = dtype_of(gradient);
  void* values = gradient.mutable_data_ptr();
  for (int64_t part = 0; part < parts; ++part) {
    const double factor = read_value(factors, dtype_of(scale), part * stride);
    if (factor == 1) continue;
    parallel_for(of_part, kGrain, [&](int64_t begin, int64_t end) {
      gradient_kernels().scale(dtype, offset(values, dtype, part * of_part + begin), end - begin, factor);
    });
  }
}

}  // namespace

InstructionSet instruction_set() { return chosen.load(std::memory_order_relaxed); }

}  // namespace ebgan

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CPU, library) {
  library.impl("scale_gradient_", TORCH_BOX(&ebgan::scale_gradient));
}

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CompositeExplicitAutograd, library) {
  library.impl("cpu_instruction_set", TORCH_BOX(&ebgan::cpu_instruction_set));
  library.impl("limit_cpu_instruction_set", TORCH_BOX(&ebgan::limit_cpu_instruction_set));
}
