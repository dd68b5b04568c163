"""Defects of the pulling-away term."""

from __future__ import annotations

from defects.defect import defect

PULLING_AWAY = (
    defect(
        "the norms of columns are read before they are there",
        "pulling_away pulling_away.cu",
        "    }\n    __syncthreads();\n    const int64_t offset",
        "    }\n    const int64_t offset",
        "pulling_away",
        "plain",
        "wrong: .* NaN",
        seed=1,
        quick=True,
    ),
    defect(
        "the norms of columns are overwritten before all have read them",
        "pulling_away pulling_away.cu",
        "    __syncthreads();\n    for (int j = static_cast<int>(threadIdx.x)",
        "    for (int j = static_cast<int>(threadIdx.x)",
        "pulling_away_many",
        "races",
        r"race in shared memory.*csrc/cuda/pulling_away\.cu",
        quick=True,
    ),
    defect(
        "warps without a row return in front of a barrier",
        "pulling_away pulling_away.cu",
        "  A sum = A(0);\n  for (int64_t first",
        "  if (!is_row) return;\n  A sum = A(0);\n  for (int64_t first",
        "pulling_away",
        "plain",
        r"have ended before the barrier in .*pulling_away\.cu:\d+|has ended while \d+ others wait",
        quick=True,
    ),
    defect(
        "warps wait at different barriers",
        "pulling_away pulling_away.cu",
        "    __syncthreads();\n    const int64_t offset",
        "    if (is_row) {\n      __syncthreads();\n    } else {\n      __syncthreads();\n    }\n"
        "    const int64_t offset",
        "pulling_away",
        "plain",
        "wait at different barriers",
        quick=True,
    ),
    defect(
        "a lane takes no part in its warp's sum",
        "pulling_away pulling_away.cu",
        "  sum = warp_sum(sum);",
        "  if (lane != 31) sum = warp_sum(sum);",
        "pulling_away",
        "plain",
        r"deadlock: 248 wait for lanes of their warp in .*reduce\.cuh:\d+",
        quick=True,
    ),
    defect(
        "a loop over columns takes one too many",
        "pulling_away pulling_away.cu",
        "j < columns; j += kRowThreads",
        "j <= columns; j += kRowThreads",
        "pulling_away",
        "sanitizers",
        r"(?s)heap-buffer-overflow.*READ.*csrc/cuda/pulling_away\.cu:\d+",
    ),
    defect(
        "a sum is written one row behind its own",
        "pulling_away pulling_away.cu",
        "  squares[row] = sum;",
        "  squares[row + 1] = sum;",
        "pulling_away",
        "sanitizers",
        r"(?s)heap-buffer-overflow.*WRITE.*csrc/cuda/pulling_away\.cu:\d+",
    ),
    defect(
        "blocks of rows overlap",
        "pulling_away pulling_away.cu",
        "int64_t{blockIdx.x} * kRows + threadIdx.x / kWarp",
        "int64_t{blockIdx.x} * (kRows - 1) + threadIdx.x / kWarp",
        "pulling_away",
        "races",
        r"race in global memory.*csrc/cuda/pulling_away\.cu",
    ),
)
