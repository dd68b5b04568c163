"""The ladder network as a trainable system."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from ebgan.errors import UserError, at_least
from ebgan.ladder.batches import Batch
from ebgan.ladder.network import Encoded, LadderNetwork
from ebgan.ladder.noise import Noise, first_parts
from ebgan.ladder.pictures import ImageShape, reconstructions, weights
from ebgan.pictures import Curve, Plot
from ebgan.training import (
    GraphedStep,
    Precision,
    adam,
    autocast,
    compiled_where,
    require_capturable,
    set_rate,
    update,
)

LABELLED, UNLABELLED, CLEAN = range(3)  # the parts of a batch

Metrics = dict[str, Tensor]


class LadderBatches(Protocol):
    """`at(step)` gives batches of `batch_size` examples that depend on `step` alone."""

    batch_size: int

    def at(self, step: int) -> Batch: ...


class Ladder:
    """Semi-supervised learning of ladder networks (Rasmus et al., arXiv:1507.02672), several side by side.

    The loss of each network is the cross-entropy of the labelled examples on the corrupted path, and the
    denoising cost of each layer of the unlabelled ones: lambda_l times the mean square of clean z_l less
    standardised z_hat_l. Whatever no cost needs is not computed: with lambda_0 alone there is no clean path,
    as the input is its own clean value; without any there are no unlabelled examples.

    Args:
        network: the networks, their first weights drawn.
        batches: the examples that they learn from.
        lambdas: lambda_0 to lambda_L; the published ones divide by the units of a layer, as here.
        seeds: seeds of the noise, one for each network.
        optimizer: the default is Adam with learning rate 0.002. On a GPU a step is one CUDA graph, for which
            `ebgan.training.adam` makes one.
        schedule: the learning rate of each step; None leaves it as the optimiser has it.
        input_noise, layer_noise: standard deviations of the noise.
        precision: data type of the matrix products.
        compiled: whether torch.compile compiles forward passes and losses.
        image: (C, H, W) of the examples, for pictures; None for none.

    Example:
        >>> from ebgan.data import load
        >>> from ebgan.ladder import Ladder, SemiSupervisedBatches, examples, network
        >>> digits = SemiSupervisedBatches(examples(load("digits")), labels=100, batch_size=100, seeds=(0,))
        >>> net = network("bottom", inputs=64, hidden=(32,))
        >>> sorted(Ladder(net, digits, (5000, 0, 0)).step(1))
        ['class_cost', 'denoising_cost', 'labelled_error', 'unlabelled_error']
    """

    def __init__(
        self,
        network: LadderNetwork,
        batches: LadderBatches,
        lambdas: Sequence[float],
        *,
        seeds: Sequence[int] = (0,),
        optimizer: Optimizer | None = None,
        schedule: Callable[[int], float] | None = None,
        input_noise: float = 0.3,
        layer_noise: float = 0.3,
        precision: Precision = "float32",
        compiled: bool = False,
        image: ImageShape | None = None,
    ) -> None:
        self.network, self.batches, self.lambdas = network, batches, tuple(lambdas)
        self._check(seeds, input_noise, layer_noise)
        self.device, self.seeds, self.image = next(network.parameters()).device, tuple(seeds), image
        self.modules: dict[str, nn.Module] = {"network": network}
        self.optimizers = {"network": optimizer or adam(network, 0.002)}
        self.schedule, self.precision = schedule, precision
        self.stds = (input_noise, *(layer_noise for _ in network.sizes[1:]))
        clean = any(self.lambdas[1:])
        self.noise = self.make_noise(noisy=2 if any(self.lambdas) else 1, clean=int(clean))
        self.compiled = compiled
        self._objective = compiled_where(compiled, self.objective, self.device)
        self.learn = self.graphed(self._learn, "network")

    def graphed(self, step: Callable[..., Metrics], *optimizers: str) -> GraphedStep:
        """Make `step`, which uses these optimisers, run as one CUDA graph where the device is a GPU."""
        if self.device.type == "cuda":
            for name in optimizers:
                require_capturable(f"{name} optimizer", self.optimizers[name])
        return GraphedStep(step, self.device)

    def make_noise(self, **parts: int) -> Noise:
        """Make the noise of batches with these `parts`, see `Noise`."""
        return Noise(
            self.seeds,
            self.network.sizes,
            self.stds,
            batch_size=self.batches.batch_size,
            like=next(self.network.parameters()).detach(),
            **parts,
        )

    def _check(self, seeds: Sequence[int], *stds: float) -> None:
        network, lambdas = self.network, self.lambdas
        if len(lambdas) != len(network.sizes):
            raise UserError(f"lambdas: got {len(lambdas)}, the network has {len(network.sizes)} layers")
        if len(seeds) != network.networks:
            raise UserError(f"seeds: got {len(seeds)}, one is needed for each of {network.networks} networks")
        at_least("batch_size", self.batches.batch_size, 2)
        for std in stds:
            at_least("noise", std, 0)
        for level, weight in enumerate(lambdas):
            at_least(f"lambda_{level}", weight, 0)
            if weight and (network.lowest is None or level < network.lowest):
                raise UserError(f"lambda_{level}: got {weight}, but the network has no decoder there")

    @property
    def plots(self) -> tuple[Plot, ...]:
        errors = [Curve("labelled_error", "labelled")]
        costs = [Curve("class_cost", "cross-entropy")]
        if any(self.lambdas):
            errors.append(Curve("unlabelled_error", "unlabelled"))
            costs.append(Curve("denoising_cost", "denoising, weighted"))
        return (
            Plot(
                "errors", "Errors on training data, corrupted", "share of the batch", tuple(errors), "shares"
            ),
            Plot("costs", "Costs", "mean over the batch", tuple(costs), "log"),
        )

    def step(self, step: int) -> Metrics:
        self.set_rates(step)
        self.noise.draw(step)
        return self.learn(*self.batches.at(step - 1))

    def set_rates(self, step: int) -> None:
        """Set the learning rate of `step` where there is a schedule."""
        if self.schedule is not None:
            set_rate(self.optimizers["network"], self.schedule(step))

    def _learn(self, *batch: Tensor) -> Metrics:
        loss, metrics = self._objective(Batch(*batch), self.noise.layers)
        update(self.optimizers["network"], loss)
        return metrics

    def objective(self, batch: Batch, noise: Sequence[Tensor]) -> tuple[Tensor, Metrics]:
        """The sum over networks of their losses, and the metrics to log."""
        parts = (batch.labelled, batch.unlabelled, batch.unlabelled)[: noise[0].shape[1]]
        encoded = self.encode(torch.stack(parts, 1), noise)
        loss, metrics = self.class_cost(batch, encoded.logits)
        if any(self.lambdas):
            denoising = self.denoising_cost(batch, encoded)
            loss = loss + denoising
            metrics["denoising_cost"] = denoising.detach()
        return loss.sum(), metrics

    def encode(self, x: Tensor, noise: Sequence[Tensor]) -> Encoded:
        with autocast(self.device, self.precision):
            return self.network.encode(x, noise)

    def reconstruct(self, z: Sequence[Tensor], logits: Tensor) -> Tensor:
        with autocast(self.device, self.precision):
            return self.network.reconstruct(z, logits)

    def class_cost(self, batch: Batch, logits: Tensor) -> tuple[Tensor, Metrics]:
        """The cross-entropy (S,) of the labelled examples, and the metrics of both kinds to log."""
        of_labelled = logits[:, LABELLED]
        costs = cross_entropy(of_labelled.flatten(0, 1), batch.labels.flatten(), reduction="none")
        cost = costs.view(batch.labels.shape).mean(-1)
        with torch.no_grad():
            metrics = {"class_cost": cost.detach(), "labelled_error": of_labelled.argmax(-1) != batch.labels}
            if logits.shape[1] > UNLABELLED:
                metrics["unlabelled_error"] = logits[:, UNLABELLED].argmax(-1) != batch.hidden_labels
        return cost, metrics

    def denoising_cost(self, batch: Batch, encoded: Encoded) -> Tensor:
        """The sum (S,) of the weighted denoising costs of all layers, on the unlabelled examples."""
        by_part = [z.unbind(1) for z in encoded.z]
        z = [parts[UNLABELLED] for parts in by_part]
        lowest = next(level for level, weight in enumerate(self.lambdas) if weight)
        costs = []
        with autocast(self.device, self.precision):
            for level, combinator, u in self.network.decode(z, encoded.logits[:, UNLABELLED]):
                if weight := self.lambdas[level]:
                    part = CLEAN if level else UNLABELLED
                    clean = by_part[level][CLEAN] if level else batch.unlabelled
                    mean, std = encoded.mean[level][:, part], encoded.std[level][:, part]
                    costs.append(weight * combinator.cost(clean, z[level], u, mean, std))
                if level == lowest:
                    break
        return torch.stack(costs).sum(0)

    def pictures(self) -> dict[str, np.ndarray]:
        """Draw the first network: the weights of its first layer, and denoised examples of batch 0."""
        if self.image is None:
            return {}
        pictures = {"weights": weights(self.network, self.image)}
        if self.network.lowest == 0:
            with torch.no_grad():
                x = self.batches.at(0).unlabelled[:, None]
                encoded = self.encode(x, first_parts(self.noise.draw(0), 0, 1))
                denoised = self.reconstruct(encoded.z, encoded.logits)
            pictures["reconstructions"] = reconstructions(x, encoded.z[0], denoised, self.image)
        return pictures
