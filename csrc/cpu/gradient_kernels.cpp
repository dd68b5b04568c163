// The loops that all families share, compiled once per instruction set into namespace EBGAN_ISA.
//
//   scale   1 read and 1 write for each element

#include "cpu/gradient_kernels.h"

#include "cpu/types.h"
#include "cpu/vector.h"

namespace ebgan::EBGAN_ISA {
namespace {

template <typename Element>
void scale_values(Element* values, int64_t elements, double factor) {
  using T = typename Accumulation<Element>::type;
  const T scalar = static_cast<T>(factor);
  int64_t j = 0;
  for (; j + kLanes<T> <= elements; j += kLanes<T>) store(values + j, load(values + j) * scalar);
  for (; j < elements; ++j) store_one(values + j, load_one(values + j) * scalar);
}

void scale(Dtype dtype, void* values, int64_t elements, double factor) {
  with_type(dtype,
            [&]<typename Element>() { scale_values(static_cast<Element*>(values), elements, factor); });
}

}  // namespace

extern const GradientKernels kGradientKernels = {scale};

}  // namespace ebgan::EBGAN_ISA
