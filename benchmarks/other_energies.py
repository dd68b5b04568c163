"""The losses of energies that torchebm and ebmkit have, set to do what ours do."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import torch
from torch import Tensor, nn

from benchmarks.rows import installed_version
from ebgan.energies import ContrastiveDivergence, NoiseContrastive, ScoreMatching
from ebgan.energies.contrastive import KEPT_SMALL

Made = tuple[Callable[[Tensor], Tensor], list[nn.Parameter]]  # a loss of a batch, and what it trains


def missing(package: str) -> str | None:
    """Why a package is not measured; None where it is installed."""
    if installed_version(package) is None:
        return f"{package} is not installed, its rows are left out: pip install --group compare"
    return None


def _noisy(batch: Tensor, noise: float) -> Tensor:
    return batch + noise * torch.randn_like(batch)


def _torchebm_model(network: nn.Module) -> nn.Module:
    class Model(import_module("torchebm.core").BaseModel):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: Tensor) -> Tensor:
            return self.network(x)

    return Model()


def torchebm_cd(network: nn.Module, like: ContrastiveDivergence) -> Made:
    model = _torchebm_model(network)
    sampler = import_module("torchebm.samplers").LangevinDynamics(
        model, step_size=like.step_size, clamp=(-like.box, like.box)
    )
    loss = import_module("torchebm.losses").ContrastiveDivergence(
        model, sampler, k_steps=like.chain, energy_reg_weight=KEPT_SMALL
    )
    box = like.box
    return lambda batch: loss(_noisy(batch, like.noise).clamp(-box, box))[0], list(network.parameters())


def torchebm_score(network: nn.Module, like: ScoreMatching) -> Made:
    loss = import_module("torchebm.losses").ScoreMatching(_torchebm_model(network), hessian_method="exact")
    return lambda batch: loss(_noisy(batch, like.noise)), list(network.parameters())


def ebmkit_cd(network: nn.Module, like: ContrastiveDivergence) -> Made:
    ebm = import_module("ebm")
    box = like.box
    sampler = ebm.LangevinDynamics(step_size=like.step_size, steps=like.chain, clamp=(-box, box))
    loss = ebm.ContrastiveDivergence(sampler, energy_reg=KEPT_SMALL)

    def of_batch(batch: Tensor) -> Tensor:
        batch = _noisy(batch, like.noise).clamp(-box, box)
        loss.init_fn = lambda _: batch  # chains begin at the data; its own default is a normal deviate
        return loss(network, batch).loss

    return of_batch, list(network.parameters())


def ebmkit_nce(network: nn.Module, like: NoiseContrastive) -> Made:
    sides = torch.full((2,), like.box)
    noise = torch.distributions.Independent(torch.distributions.Uniform(-sides, sides), 1)
    loss = import_module("ebm").NoiseContrastiveEstimation(noise)
    return lambda batch: loss(network, batch).loss, [*network.parameters(), *loss.parameters()]


def ebmkit_score(network: nn.Module, like: ScoreMatching) -> Made:
    loss = import_module("ebm").ExactScoreMatching()
    return lambda batch: loss(network, _noisy(batch, like.noise)).loss, list(network.parameters())


# By package and by the job of `bench_energies`; torchebm has no noise-contrastive estimation.
OTHERS: dict[str, dict[str, Callable[..., Made]]] = {
    "torchebm": {"CD, 10 Langevin steps": torchebm_cd, "exact score matching": torchebm_score},
    "ebmkit": {
        "CD, 10 Langevin steps": ebmkit_cd,
        "NCE": ebmkit_nce,
        "exact score matching": ebmkit_score,
    },
}
