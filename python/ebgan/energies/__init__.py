"""Learners of an energy of points of the plane, by the seven strategies of the deck."""

from __future__ import annotations

from ebgan.energies.comparison import Comparison, Result, compare
from ebgan.energies.constant_volume import GMM, PCA, KMeans, SquareICA
from ebgan.energies.learner import Learner
from ebgan.energies.learners import KINDS
from ebgan.energies.points import grid, scaled
from ebgan.energies.scores import Scores, scores
from ebgan.energies.sets import PointSet, SetName, from_csv, point_set

__all__ = [
    "GMM",
    "KINDS",
    "PCA",
    "Comparison",
    "KMeans",
    "Learner",
    "PointSet",
    "Result",
    "Scores",
    "SetName",
    "SquareICA",
    "compare",
    "from_csv",
    "grid",
    "point_set",
    "scaled",
    "scores",
]
