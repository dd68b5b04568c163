"""Learners of an energy of points of the plane, by the seven strategies of the deck."""

from __future__ import annotations

from ebgan.energies.comparison import Comparison, Result, compare
from ebgan.energies.constant_volume import GMM, PCA, KMeans, SquareICA
from ebgan.energies.contrastive import ContrastiveDivergence, NoiseContrastive
from ebgan.energies.denoising import DenoisingAutoEncoder
from ebgan.energies.ebgan import EBGAN
from ebgan.energies.learner import Learner
from ebgan.energies.learners import KINDS
from ebgan.energies.likelihood import MaximumLikelihood
from ebgan.energies.points import grid, scaled
from ebgan.energies.score_matching import DenoisingScoreMatching, ScoreMatching
from ebgan.energies.scores import Scores, scores
from ebgan.energies.sets import PointSet, SetName, from_csv, point_set

__all__ = [
    "EBGAN",
    "GMM",
    "KINDS",
    "PCA",
    "Comparison",
    "ContrastiveDivergence",
    "DenoisingAutoEncoder",
    "DenoisingScoreMatching",
    "KMeans",
    "Learner",
    "MaximumLikelihood",
    "NoiseContrastive",
    "PointSet",
    "Result",
    "ScoreMatching",
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
