"""Defects of the ladder family."""

from __future__ import annotations

from defects.defect import defect

LADDER = (
    defect(
        "a tile's sums are added before the other warps have theirs",
        "ladder ladder_tiles.cuh",
        "shared[warp][lane] = sums[k];\n    __syncthreads();",
        "shared[warp][lane] = sums[k];",
        "combinator",
        "plain",
        "wrong: .* NaN",
        quick=True,
    ),
    defect(
        "a tile's sums are overwritten by those of the next parameter",
        "ladder ladder_tiles.cuh",
        "to[(tile * kUnitSums + k) * units + unit] = total;\n    }\n    __syncthreads();",
        "to[(tile * kUnitSums + k) * units + unit] = total;\n    }",
        "combinator",
        "races",
        r"race in shared memory.*csrc/cuda/ladder_tiles\.cuh",
    ),
    defect(
        "lanes behind the last unit write rows",
        "ladder ladder_tiles.cuh",
        "    if (!has_unit()) end_row = 0;\n",
        "",
        "combinator",
        "races",
        r"race in global memory.*csrc/cuda/ladder_tiles\.cuh",
    ),
    defect(
        "lanes behind the last unit read parameters",
        "ladder ladder_tiles.cuh",
        "    if (!has_unit()) return of_unit;\n",
        "",
        "combinator",
        "sanitizers",
        r"(?s)heap-buffer-overflow.*csrc/cuda/ladder_tiles\.cuh:\d+",
    ),
    defect(
        "a layer's sums are overwritten before all have read them",
        "ladder_layer ladder_layer.cuh",
        "totals[k] += shared[warp][lane];\n    __syncthreads();",
        "totals[k] += shared[warp][lane];",
        "ladder_layer",
        "races",
        r"race in shared memory.*csrc/cuda/ladder_layer\.cuh",
    ),
    defect(
        "lanes behind the last unit write a mean",
        "ladder_layer ladder_layer.cuh",
        "if (place.has_unit && place.first_row == 0) {\n    place.store(outputs.mean",
        "if (place.first_row == 0) {\n    place.store(outputs.mean",
        "ladder_layer",
        "sanitizers",
        r"(?s)heap-buffer-overflow.*WRITE.*csrc/cuda/ladder_layer\.cuh:\d+",
    ),
)
