"""Seeded defects beyond the quick ones run where -m names them: -m "defects or not defects" runs all."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "defects" in config.option.markexpr:
        return
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("defects")])
    items[:] = [item for item in items if not item.get_closest_marker("defects")]
