"""The cases of each operator: the sizes and dtypes at which kernels take different paths.

Every operator has cases in float32, in a half type and in float64. Some have few elements; only those does a
simulation of kernels on the CPU finish in time. Sizes are odd where rows should not begin at a multiple of a
vector.
"""

import importlib

from ebgan_kernels.families import OPERATOR_FAMILIES
from ebgan_kernels.selfcheck.case import Case

CASES: tuple[Case, ...] = tuple(
    case
    for family in OPERATOR_FAMILIES
    for case in importlib.import_module(f"ebgan_kernels.selfcheck.cases.{family}").CASES
)
