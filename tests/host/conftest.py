"""Both forms of the functions that prepare data: the compiled module and NumPy's, which must agree."""

from __future__ import annotations

import types
from importlib import import_module

import pytest


@pytest.fixture(params=["ebgan._host", "ebgan.host.reference"], scope="module")
def host(request: pytest.FixtureRequest) -> types.ModuleType:
    return import_module(request.param)
