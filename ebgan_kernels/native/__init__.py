"""The compiled operators: schemas, fake kernels, and the libraries that implement them.

Importing anything of this package defines the operators of all families, so that
``ebgan_kernels.ops.gradients`` finds every one of them.
"""

import importlib

from ebgan_kernels.families import OPERATOR_FAMILIES

for _family in ("gradient", *OPERATOR_FAMILIES):
    importlib.import_module(f"ebgan_kernels.native.{_family}")
