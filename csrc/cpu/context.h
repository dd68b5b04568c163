// What an operator's call needs of the CPU.

#pragma once

#include "cpu/pages.h"
#include "cpu/values.h"
#include "stable/tensor.h"

namespace ebgan {

class CpuContext {
 public:
  explicit CpuContext(const Tensor&) {}

  void will_write(const Result& result, int64_t elements) const {
    prefer_huge_pages(result.data, elements * element_size(result.dtype));
  }
};

}  // namespace ebgan
