"""What the scores ask of the features of two sets of images."""

from __future__ import annotations

from torch import Tensor

from ebgan.errors import UserError, at_least


def check_features(features: Tensor, real_features: Tensor) -> None:
    """Raise `UserError` unless they are (N, D) and (M, D) with N and M at least 2."""
    if features.ndim != 2 or real_features.ndim != 2 or features.shape[1] != real_features.shape[1]:
        raise UserError(
            f"features: got {tuple(features.shape)} and real_features {tuple(real_features.shape)}, "
            "expected (N, D) and (M, D)"
        )
    at_least("features (their count)", min(len(features), len(real_features)), 2)
