"""Wrong codes, weights and groups: the message names the argument, what came, what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.errors import assert_refused

X = torch.ones(4, 3)


def generator(codes: object = None, **options: Any) -> Tensor:
    return ek.generator_loss(X, X, codes=codes, **options)  # type: ignore[arg-type]


WRONG: dict[str, tuple[Callable[[], object], type[Exception], tuple[str, ...]]] = {
    "one code": (
        lambda: ek.pulling_away(torch.ones(1, 8)),
        ValueError,
        ("codes has shape (1, 8)", "at least 2", "larger batch"),
    ),
    "no code": (
        lambda: ek.pulling_away(torch.ones(0, 8)),
        ValueError,
        ("codes has shape (0, 8)", "at least 2"),
    ),
    "no dimension": (
        lambda: ek.pulling_away(torch.tensor(1.0)),
        ValueError,
        ("codes has no dimension", "(N, ...)"),
    ),
    "integer codes": (
        lambda: ek.pulling_away(torch.ones(4, 3, dtype=torch.int64)),
        TypeError,
        ("codes is torch.int64", "float16, bfloat16, float32 or float64", "codes.float()"),
    ),
    "no tensor": (lambda: generator([[1.0]]), TypeError, ("codes is list", "torch.Tensor")),
    "codes on another device": (
        lambda: generator(X.to("meta")),
        ValueError,
        ("codes is on meta", "fake on cpu", "codes.to(fake.device)"),
    ),
    "float64 codes beside float32 images": (
        lambda: generator(X.double()),
        TypeError,
        ("fake is torch.float32", "codes torch.float64", "float64 goes only with float64"),
    ),
    "a negative weight": (
        lambda: generator(X, pulling_away_weight=-0.1),
        ValueError,
        ("pulling_away_weight is -0.1", "0 or more"),
    ),
    "a weight that is no number": (
        lambda: ek.EBGANGeneratorLoss(pulling_away_weight="0.1"),  # type: ignore[arg-type]
        TypeError,
        ("pulling_away_weight is str", "float"),
    ),
    "a group without codes": (
        lambda: generator(group=object()),
        ValueError,
        ("group is given without codes", "pass codes"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_named_with_what_came_and_what_is_allowed(name: str) -> None:
    assert_refused(*WRONG[name])


def test_one_code_is_refused_under_torch_compile_too() -> None:
    torch._dynamo.reset()
    with pytest.raises(Exception, match="at least 2"):
        torch.compile(ek.pulling_away, backend="eager", fullgraph=True)(torch.ones(1, 3))
