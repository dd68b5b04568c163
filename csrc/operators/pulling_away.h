// The operator of the pulling-away family for either device, between the two matrix products of the term. Formulas:
// math/pulling_away.h.
//
//   loss_and_weights   the loss of a Gram matrix of `rows` rows, and the weights of its gradient where they are wanted

#pragma once

#include <tuple>
#include <vector>

#include "math/pulling_away.h"
#include "stable/tensor.h"

namespace ebgan::pulling_away {

template <typename Kernels>
std::tuple<Tensor, Tensor> pulling_away_weights(const Tensor& gram, bool need_weights) {
  const typename Kernels::Context context(gram);
  Tensor loss = empty_scalar(dtype_of(gram), gram);
  Tensor weights = need_weights ? empty_packed(gram) : empty_vector(0, dtype_of(gram), gram);
  Kernels::loss_and_weights(context, source_of(gram), gram.size(0),
                            need_weights ? result_of(context, weights) : Result{}, result_of(context, loss));
  return {loss, weights};
}

template <typename Kernels, typename Library>
void implement(Library& library) {
  library.impl("pulling_away_weights", TORCH_BOX(&pulling_away_weights<Kernels>));
}

}  // namespace ebgan::pulling_away
