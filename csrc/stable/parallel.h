// The host application's own thread pool, so that torch.set_num_threads and nested parallelism hold here too.

#pragma once

#include <torch/csrc/stable/ops.h>

#include <cstdint>

namespace ebgan {

// Fewer elements than this are not worth waking a second thread for.
constexpr int64_t kGrain = 32768;

// body(begin, end) over [0, count); must not throw: a message would be lost at the C boundary of the stable
// ABI.
template <typename Body>
void parallel_for(int64_t count, int64_t grain, const Body& body) {
  if (count <= 0) return;
  torch::stable::parallel_for(0, count, grain, body);
}

inline int64_t thread_count() { return static_cast<int64_t>(torch::stable::get_num_threads()); }

}  // namespace ebgan
