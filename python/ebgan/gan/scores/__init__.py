"""Scores of samples by small frozen networks: I', inception score, class shares and KID."""

from __future__ import annotations

from ebgan.gan.scores.evaluate import SAMPLES, evaluate
from ebgan.gan.scores.inception import (
    class_shares,
    inception_score,
    log_probabilities,
    mean_top_probability,
    modified_inception_score,
)
from ebgan.gan.scores.kid import KID, kernel_inception_distance
from ebgan.gan.scores.networks import NETWORKS, Scored, ScoreNetwork, load_network
from ebgan.gan.scores.results import ClassScores, Scores, SetScores

__all__ = [
    "KID",
    "NETWORKS",
    "SAMPLES",
    "ClassScores",
    "ScoreNetwork",
    "Scored",
    "Scores",
    "SetScores",
    "class_shares",
    "evaluate",
    "inception_score",
    "kernel_inception_distance",
    "load_network",
    "log_probabilities",
    "mean_top_probability",
    "modified_inception_score",
]
