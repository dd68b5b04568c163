"""Every operator with valid arguments, from the files of its family in ``support.families``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from ebgan_kernels.families import OPERATOR_FAMILIES
from support.arguments import IMAGES as IMAGES
from support.arguments import MARGIN as MARGIN

OPERATORS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    name: operator
    for family in OPERATOR_FAMILIES
    for name, operator in importlib.import_module(f"support.families.{family}").OPERATORS.items()
}
