"""The modules of the build are scripts beside setup.py, and no package."""

from __future__ import annotations

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "installation"))
