"""Defects of the gradient-difference family."""

from __future__ import annotations

from defects.defect import defect

GDL = (
    defect(
        "shared memory that nobody has written is added up",
        "gdl reduce.cuh",
        "warp_sum(lane < static_cast<int>(blockDim.x) / kWarp ? scratch[lane] : A(0))",
        "warp_sum(scratch[lane])",
        "prediction_loss",
        "races",
        r"reads shared memory in .*csrc/cuda/reduce\.cuh:\d+ that nobody has written",
    ),
    defect(
        "the last column reads a neighbour to its right",
        "gdl gdl_stencil.cuh",
        "const bool right = pairs && group + 1 < cut.groups;",
        "const bool right = pairs && group < cut.groups;",
        "prediction_loss",
        "sanitizers",
        r"(?s)heap-buffer-overflow.*csrc/cuda/gdl_terms\.cuh:\d+",
    ),
    defect(
        "threads behind the last item work on one",
        "gdl gdl_stencil.cuh",
        "if (item < cut.items) {",
        "if (item < cut.items + 1) {",
        "prediction_loss",
        "sanitizers",
        r"(?s)heap-buffer-overflow.*csrc/cuda/gdl_(stencil|terms)\.cuh:\d+",
    ),
    defect(
        "a level of the pyramid is averaged before the finer one is there",
        "gdl gdl_scales.cuh",
        "k < levels; ++k) {\n    __syncthreads();",
        "k < levels; ++k) {",
        "multiscale",
        "plain",
        "wrong: .* NaN",
    ),
    defect(
        "the coarsest level is read before it is there",
        "gdl gdl_scales.cuh",
        "    pyramid = coarser;\n  }\n  __syncthreads();",
        "    pyramid = coarser;\n  }",
        "multiscale",
        "races",
        "reads shared memory .* that nobody has written|race in shared memory",
    ),
)
