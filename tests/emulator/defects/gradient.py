"""Defects of the scaling of gradients, which all families share."""

from __future__ import annotations

from defects.defect import defect

GRADIENT = (
    defect(
        "two blocks scale the same stretch of a gradient",
        "gradient gradient.cu",
        "range_of_part(elements, item % stretches, kStretch, aligned)",
        "range_of_part(elements, 0, kStretch, aligned)",
        "scale",
        "races",
        r"race in global memory.*csrc/cuda/",
        quick=True,
    ),
    defect(
        "a gradient is scaled in vectors that begin on none",
        "gradient gradient.cu",
        "static_cast<int>((kVectorBytes - past) % kVectorBytes / sizeof(T));",
        "static_cast<int>(past * 0);",
        "scale",
        "plain",
        r"a load of 16 bytes in .*vector\.cuh:\d+ from .* is not aligned",
    ),
)
