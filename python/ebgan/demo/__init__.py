"""The check and the measurements that `ebgan demo` shows beside its pictures."""

from __future__ import annotations

from ebgan.demo.nearest_neighbour import NearestNeighbourCheck, nearest_neighbour_check
from ebgan.demo.speed import speed_table

__all__ = ["NearestNeighbourCheck", "nearest_neighbour_check", "speed_table"]
