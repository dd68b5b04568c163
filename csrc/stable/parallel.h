// Parallel loops on torch's own thread pool, so that torch.set_num_threads and nested parallelism hold here too.

#pragma once

#include <torch/csrc/stable/ops.h>

#include <cstdint>

namespace ebgan {

// Fewer elements than this stay on one thread. It is the grain of torch's own pointwise operators; other values
// were not measured here.
constexpr int64_t kGrain = 32768;

// Calls body(begin, end) on ranges that cover [0, count). The body must not throw, because a message would be
// lost at the C boundary of the stable ABI.
template <typename Body>
void parallel_for(int64_t count, int64_t grain, const Body& body) {
  if (count <= 0) return;
  torch::stable::parallel_for(0, count, grain, body);
}

inline int64_t thread_count() { return static_cast<int64_t>(torch::stable::get_num_threads()); }

}  // namespace ebgan
