// Operators that all families share on the CPU: one scales a gradient that the forward pass has computed, the
// others tell and limit the instruction set in use. For N elements:
//
//   scale_gradients_   1N read, 1N written; nothing for each part whose scale is 1

#include "operators/gradient.h"

#include <algorithm>
#include <atomic>

#include "cpu/context.h"
#include "cpu/gradient_kernels.h"
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

struct CpuKernels {
  using Context = CpuContext;

  static void scale(const Context&, const Result& gradient, int64_t elements, int64_t parts,
                    const Incoming& scales) {
    constexpr int64_t kGrain = 65536;
    for (int64_t part = 0; part < parts; ++part) {
      const double factor = incoming_at(scales, part);
      if (factor == 1) continue;
      parallel_for(elements, kGrain, [&](int64_t begin, int64_t end) {
        void* const values = offset(gradient.data, gradient.dtype, part * elements + begin);
        gradient_kernels().scale(gradient.dtype, values, end - begin, factor);
      });
    }
  }
};

}  // namespace

InstructionSet instruction_set() { return chosen.load(std::memory_order_relaxed); }

}  // namespace ebgan

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CPU, library) {
  ebgan::gradient::implement<ebgan::CpuKernels>(library);
}

STABLE_TORCH_LIBRARY_IMPL(ebgan_kernels, CompositeExplicitAutograd, library) {
  library.impl("cpu_instruction_set", TORCH_BOX(&ebgan::cpu_instruction_set));
  library.impl("limit_cpu_instruction_set", TORCH_BOX(&ebgan::limit_cpu_instruction_set));
}
