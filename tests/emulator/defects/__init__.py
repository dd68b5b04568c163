"""Mistakes that a kernel of this library could have, one at a time, and what must find each.

A defect is one or a few edits of a copy of csrc. Were one of them found by nothing, the emulated device
would be at fault.
"""

from __future__ import annotations

from defects.defect import Defect
from defects.energy import ENERGY
from defects.gdl import GDL
from defects.gradient import GRADIENT
from defects.ladder import LADDER
from defects.pulling_away import PULLING_AWAY
from defects.shortened import SHORTENED
from defects.valid_conv import VALID_CONV

DEFECTS = (*ENERGY, *PULLING_AWAY, *GDL, *LADDER, *GRADIENT, *VALID_CONV)

__all__ = ["DEFECTS", "SHORTENED", "Defect"]
