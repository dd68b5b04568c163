"""Learners of an energy of points of the plane, by the seven strategies of the deck."""

from __future__ import annotations

from ebgan.energies.comparison import Comparison, Result, compare
from ebgan.energies.constant_volume import GMM, PCA, KMeans, SquareICA
from ebgan.energies.contractive import ContractiveAutoEncoder, SaturatingAutoEncoder
from ebgan.energies.contrastive import ContrastiveDivergence, NoiseContrastive
from ebgan.energies.denoising import DenoisingAutoEncoder
from ebgan.energies.discrete import MinimumProbabilityFlow, RatioMatching
from ebgan.energies.ebgan import EBGAN
from ebgan.energies.learner import Learner
from ebgan.energies.learners import KINDS
from ebgan.energies.likelihood import MaximumLikelihood
from ebgan.energies.points import grid, scaled
from ebgan.energies.score_matching import DenoisingScoreMatching, ScoreMatching
from ebgan.energies.scores import Scores, scores
from ebgan.energies.sets import PointSet, SetName, from_csv, point_set
from ebgan.energies.sparse import PSD, SparseAutoEncoder, SparseCoding

__all__ = [
    "EBGAN",
    "GMM",
    "KINDS",
    "PCA",
    "PSD",
    "Comparison",
    "ContractiveAutoEncoder",
    "ContrastiveDivergence",
    "DenoisingAutoEncoder",
    "DenoisingScoreMatching",
    "KMeans",
    "Learner",
    "MaximumLikelihood",
    "MinimumProbabilityFlow",
    "NoiseContrastive",
    "PointSet",
    "RatioMatching",
    "Result",
    "SaturatingAutoEncoder",
    "ScoreMatching",
    "Scores",
    "SetName",
    "SparseAutoEncoder",
    "SparseCoding",
    "SquareICA",
    "compare",
    "from_csv",
    "grid",
    "point_set",
    "scaled",
    "scores",
]
