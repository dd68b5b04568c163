"""FISTA: the sparse code of a signal under a dictionary."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def fista(
    signals: Tensor,
    dictionary: Tensor,
    sparsity: float,
    *,
    iterations: int = 50,
    prediction: Tensor | None = None,
    pull: float = 0.0,
) -> Tensor:
    """The codes z that make ||x - W z||^2 + sparsity ||z||_1 + pull ||z - prediction||^2 least.

    Args:
        signals: x (N, D).
        dictionary: W (D, K), its atoms in columns.
        sparsity: weight of the sum of the codes' absolute values.
        iterations: steps of FISTA, each of the length that the largest eigenvalue of W^T W allows.
        prediction: (N, K), where `pull` draws the codes to, and where they begin; 0 by default.
        pull: weight of the distance from the prediction.

    Returns:
        (N, K) codes, without gradients.

    Source: Beck and Teboulle, "A Fast Iterative Shrinkage-Thresholding Algorithm", 2009.

    Example:
        >>> import torch
        >>> fista(torch.tensor([[3.0, 0.5]]), torch.eye(2), sparsity=2.0)  # each moved to 0 by sparsity / 2
        tensor([[2., 0.]])
    """
    with torch.no_grad():
        eye = torch.eye(dictionary.shape[1], dtype=dictionary.dtype)
        quadratic = dictionary.T @ dictionary + pull * eye
        linear = signals @ dictionary
        codes = torch.zeros_like(linear)
        if prediction is not None:
            linear = linear + pull * prediction
            codes = prediction
        step = 1 / torch.linalg.eigvalsh(quadratic)[-1].item()
        ahead, momentum = codes, 1.0
        for _ in range(iterations):
            new = F.softshrink(ahead - step * (ahead @ quadratic - linear), step * sparsity / 2)
            grown = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
            ahead = new + (momentum - 1) / grown * (new - codes)
            codes, momentum = new, grown
    return codes
