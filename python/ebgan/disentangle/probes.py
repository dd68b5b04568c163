"""How well a factor can be read from codes: a linear and a non-linear classifier are fitted to them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebgan.errors import require

HIDDEN, EPOCHS, ITERATIONS = 128, 60, 300


@dataclass(frozen=True)
class Accuracy:
    """The share of held-out images whose factor a probe reads; `chance` is that of the commonest value."""

    linear: float
    mlp: float
    chance: float


def probe(
    fitted: NDArray[np.float32],
    fitted_labels: NDArray[np.int64],
    held_out: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    seed: int,
) -> Accuracy:
    """Fit logistic regression and an MLP of one hidden layer to some codes (N, D), and try them on others.

    Codes are normalised by the fitted ones.
    """
    linear_model, neural = require("sklearn.linear_model"), require("sklearn.neural_network")
    mean, std = fitted.mean(0), fitted.std(0).clip(min=1e-6)
    fitted, held_out = (fitted - mean) / std, (held_out - mean) / std
    values, counts = np.unique(fitted_labels, return_counts=True)
    commonest = float((labels == values[counts.argmax()]).mean())
    if len(values) == 1:
        return Accuracy(commonest, commonest, commonest)
    models = (
        linear_model.LogisticRegression(max_iter=ITERATIONS),
        neural.MLPClassifier((HIDDEN,), max_iter=EPOCHS, random_state=seed),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", require("sklearn.exceptions").ConvergenceWarning)
        linear, mlp = (float(each.fit(fitted, fitted_labels).score(held_out, labels)) for each in models)
    return Accuracy(linear, mlp, commonest)
