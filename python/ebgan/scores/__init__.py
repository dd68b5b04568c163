"""How good samples are, by small frozen networks: I', inception score, class shares and KID."""

from __future__ import annotations

from ebgan.scores.evaluate import SAMPLES, evaluate
from ebgan.scores.inception import (
    class_shares,
    inception_score,
    log_probabilities,
    mean_top_probability,
    modified_inception_score,
)
from ebgan.scores.kid import KID, kernel_inception_distance
from ebgan.scores.networks import NETWORKS, Scored, ScoreNetwork, load_network
from ebgan.scores.record import SCORES, write_scores
from ebgan.scores.results import ClassScores, Scores, SetScores
from ebgan.scores.runs import evaluate_run

__all__ = [
    "KID",
    "NETWORKS",
    "SAMPLES",
    "SCORES",
    "ClassScores",
    "ScoreNetwork",
    "Scored",
    "Scores",
    "SetScores",
    "class_shares",
    "evaluate",
    "evaluate_run",
    "inception_score",
    "kernel_inception_distance",
    "load_network",
    "log_probabilities",
    "mean_top_probability",
    "modified_inception_score",
    "write_scores",
]
