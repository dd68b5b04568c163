"""Wrong input: the message names the argument, what came, what is allowed, and what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.errors import assert_refused

X = torch.zeros(2, 3)
E = torch.zeros(2)


def discriminator(*images: Tensor, margin: float | Tensor = 1.0, **options: str) -> Tensor:
    return ek.discriminator_loss(*images, margin=margin, **options).loss


WRONG: dict[str, tuple[Callable[[], object], type[Exception], tuple[str, ...]]] = {
    "shapes differ": (
        lambda: ek.reconstruction_energy(X, torch.zeros(2, 4)),
        ValueError,
        ("reconstruction has shape (2, 3)", "target (2, 4)", "equal", "reshape"),
    ),
    "nothing is broadcast": (
        lambda: ek.generator_loss(X, torch.zeros(1, 3)),
        ValueError,
        ("fake_reconstruction has shape (2, 3)", "fake (1, 3)", "nothing is broadcast"),
    ),
    "a batch has no dimension": (
        lambda: ek.reconstruction_energy(torch.tensor(1.0), torch.tensor(1.0)),
        ValueError,
        ("reconstruction has no dimension", "(N, ...)", "reconstruction[None]"),
    ),
    "a pair on two devices": (
        lambda: ek.reconstruction_energy(X, X.to("meta")),
        ValueError,
        ("target is on meta", "reconstruction on cpu", "target.to(reconstruction.device)"),
    ),
    "real and fake on two devices": (
        lambda: discriminator(X, X, X.to("meta"), X.to("meta")),
        ValueError,
        ("fake is on meta", "real on cpu", "fake.to(real.device)"),
    ),
    "float64 beside float32 in a pair": (
        lambda: ek.reconstruction_energy(X.double(), X),
        TypeError,
        (
            "reconstruction is torch.float64",
            "target torch.float32",
            "float64 goes only with float64",
            "convert",
        ),
    ),
    "float64 real beside float32 fake": (
        lambda: discriminator(X.double(), X.double(), X, X),
        TypeError,
        ("real is torch.float64", "fake torch.float32", "float64 goes only with float64"),
    ),
    "float64 energies beside float32 ones": (
        lambda: ek.hinge_margin_loss(E, E.double(), 1.0),
        TypeError,
        ("real_energy is torch.float32", "fake_energy torch.float64", "float64 goes only with float64"),
    ),
    "integer images": (
        lambda: ek.generator_loss(X, X.to(torch.uint8)),
        TypeError,
        ("fake is torch.uint8", "float16, bfloat16, float32 or float64", "fake.float()"),
    ),
    "complex images": (
        lambda: ek.reconstruction_energy(X.cfloat(), X),
        TypeError,
        ("reconstruction is torch.complex64", "float16, bfloat16, float32 or float64"),
    ),
    "no tensor": (
        lambda: ek.reconstruction_energy([1.0], X),
        TypeError,
        ("reconstruction is list", "torch.Tensor"),
    ),
    "energies of more than one dimension": (
        lambda: ek.hinge_margin_loss(E, X, 1.0),
        ValueError,
        ("fake_energy has shape (2, 3)", "(N,)"),
    ),
    "a batch mean for energies": (
        lambda: ek.hinge_margin_loss(E.mean(), E, 1.0),
        ValueError,
        ("real_energy has shape ()", "(N,)", "batch mean"),
    ),
    "unknown distance": (
        lambda: ek.reconstruction_energy(X, X, distance="L2"),
        ValueError,
        ("distance is 'L2'", "'l2', 'squared_l2', 'mse', 'l1'"),
    ),
    "unknown shaping": (
        lambda: discriminator(X, X, X, X, shaping="relu"),
        ValueError,
        ("shaping is 'relu'", "'identity', 'square'"),
    ),
    "unknown distance of a module": (
        lambda: ek.EBGANGeneratorLoss(distance="cosine"),
        ValueError,
        ("distance is 'cosine'", "'l2'"),
    ),
    "negative margin": (
        lambda: discriminator(X, X, X, X, margin=-1.0),
        ValueError,
        ("margin is -1.0", "0 or more"),
    ),
    "margin that is not a number": (
        lambda: ek.HingeMarginLoss(margin=float("nan")),
        ValueError,
        ("margin is nan", "0 or more"),
    ),
    "margin of another type": (
        lambda: discriminator(X, X, X, X, margin="10"),
        TypeError,
        ("margin is str", "a float or a 0-d tensor"),
    ),
    "margin with a dimension": (
        lambda: ek.hinge_margin_loss(E, E, torch.ones(1)),
        ValueError,
        ("margin", "shape (1,)", "0-d", "reshape(())"),
    ),
    "margin tensor that is no number": (
        lambda: ek.hinge_margin_loss(E, E, torch.tensor(True)),
        ValueError,
        ("margin", "torch.bool", "0-d tensor of a number"),
    ),
    "negative number assigned to the margin": (
        lambda: setattr(ek.HingeMarginLoss(1.0), "margin", -7.0),
        ValueError,
        ("margin is -7.0", "0 or more"),
    ),
    "no number assigned to the margin": (
        lambda: setattr(ek.EBGANDiscriminatorLoss(1.0), "margin", "7"),
        TypeError,
        ("margin is str", "a float or a 0-d tensor"),
    ),
    "margin on another device": (
        lambda: ek.hinge_margin_loss(E, E, torch.tensor(1.0, device="meta")),
        ValueError,
        ("margin is on meta", "energies on cpu", "margin.to('cpu')"),
    ),
    "margin that requires a gradient": (
        lambda: ek.hinge_margin_loss(E, E, torch.tensor(1.0, requires_grad=True)),
        ValueError,
        ("margin requires a gradient", "margin.detach()"),
    ),
    "unknown implementation": (
        lambda: ek.backend("numpy").__enter__(),
        ValueError,
        ("backend is 'numpy'", "'reference', 'cpu', 'cuda', 'triton'"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_named_with_what_came_and_what_is_allowed(name: str) -> None:
    assert_refused(*WRONG[name])


def test_wrong_input_is_refused_under_torch_compile_too() -> None:
    torch._dynamo.reset()
    with pytest.raises(Exception, match="nothing is broadcast"):
        torch.compile(ek.reconstruction_energy, backend="eager", fullgraph=True)(X, torch.zeros(1, 3))
