"""Learners of an energy of points of the plane, by the deck's strategies, and the game of its theorems."""

from __future__ import annotations

from ebgan.energies.comparison import Comparison, Result, compare
from ebgan.energies.constant_volume import GMM, PCA, KMeans, SquareICA
from ebgan.energies.contractive import ContractiveAutoEncoder, SaturatingAutoEncoder
from ebgan.energies.contrastive import ContrastiveDivergence, NoiseContrastive
from ebgan.energies.denoising import DenoisingAutoEncoder
from ebgan.energies.discrete import MinimumProbabilityFlow, RatioMatching
from ebgan.energies.ebgan import EBGAN
from ebgan.energies.equilibrium import Game, total_variation
from ebgan.energies.learner import Learner
from ebgan.energies.learners import KINDS
from ebgan.energies.likelihood import MaximumLikelihood
from ebgan.energies.plays import Play, best_responses, gradient_play, responses_to_means
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
    "Game",
    "KMeans",
    "Learner",
    "MaximumLikelihood",
    "MinimumProbabilityFlow",
    "NoiseContrastive",
    "Play",
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
    "best_responses",
    "compare",
    "from_csv",
    "gradient_play",
    "grid",
    "point_set",
    "responses_to_means",
    "scaled",
    "scores",
    "total_variation",
]
