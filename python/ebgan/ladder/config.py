"""The options of `ebgan train ladder`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from ebgan.errors import UserError, at_least, one_of, positive, share
from ebgan.ladder.combinators import CombinatorName
from ebgan.training import Help, TrainingConfig, check_rates

Model = Literal["full", "bottom", "gamma", "ebgan", "supervised"]
IMAGES = {"digits": (1, 8, 8), "mnist": (1, 28, 28), "fashion-mnist": (1, 28, 28)}  # shapes (C, H, W)
DATA = tuple(IMAGES)
NO_GENERATOR = "none without a generator"


@dataclass(frozen=True, kw_only=True)
class LadderConfig(TrainingConfig):
    """Everything that decides the result of a run; `preset` has the published values."""

    data: Annotated[str, Help("Data set: digits (needs no download), mnist or fashion-mnist.")]
    model: Annotated[
        Model,
        Help(
            "Layers that have a denoising cost: all (full), the input (bottom), the classes (gamma) or none "
            "(supervised). ebgan trains a generator against the bottom ladder."
        ),
    ]
    labels: Annotated[int, Help("Number of examples with a label, as many of each class; or all of them.")]
    steps: Annotated[int, Help("Number of training steps, at most --schedule-steps.")]
    seeds: Annotated[int, Help("Number of networks to train side by side, seeded by --seed and up.")] = 1
    batch_size: Annotated[int, Help("Number of labelled examples a step, and of unlabelled ones.")] = 100
    layers: Annotated[str, Help("Units in each hidden layer, from the input up, joined by hyphens.")]
    combinator: Annotated[CombinatorName, Help("How a decoder layer combines its inputs.")] = "gauss"
    input_noise: Annotated[float, Help("Standard deviation of the noise added to the input.")] = 0.3
    layer_noise: Annotated[float, Help("Standard deviation of the noise added to every other layer.")] = 0.3
    lambda_bottom: Annotated[float, Help("Weight of the denoising cost of the input, a mean over its units.")]
    lambda_first: Annotated[float, Help("Weight of the denoising cost of the first hidden layer.")]
    lambda_middle: Annotated[float, Help("Weight of the denoising cost of each other hidden layer.")]
    lambda_top: Annotated[float, Help("Weight of the denoising cost of the class layer.")]
    lr: Annotated[float, Help("Learning rate of the ladder networks.")]
    beta1: Annotated[float, Help("Decay rate of the first moment in Adam.")]
    decay_start: Annotated[float, Help("Share of the schedule after which the learning rate falls to 0.")]
    schedule_steps: Annotated[
        int | None,
        Help("Number of steps of the schedule; a run has no more.", unset="--steps of the new run"),
    ] = None
    margin: Annotated[
        float | None, Help("Energy up to which generated examples are pushed in step 1.", unset=NO_GENERATOR)
    ] = None
    margin_share: Annotated[
        float | None,
        Help("Share of the schedule until the margin is 0 and the generator frozen.", unset=NO_GENERATOR),
    ] = None
    generator_lr: Annotated[float | None, Help("Learning rate of the generator.", unset=NO_GENERATOR)] = None
    generator_layers: Annotated[
        str | None, Help("Units in each hidden layer of the generator, from z up.", unset=NO_GENERATOR)
    ] = None
    codes: Annotated[int | None, Help("Size of the generator's input z.", unset=NO_GENERATOR)] = None
    held_out: Annotated[
        int, Help("Number of last training examples to hold out; ebgan evaluate then scores these alone.")
    ] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("data", self.data, DATA)
        if self.batch_size < 2:
            raise UserError(f"batch_size: got {self.batch_size}, batch normalisation needs at least 2")
        for name in ("labels", "seeds"):
            at_least(name, getattr(self, name), 1)
        for name in ("input_noise", "layer_noise", "held_out", *_LAMBDAS):
            at_least(name, getattr(self, name), 0)
        check_rates(lr=self.lr, beta1=self.beta1)
        share("decay_start", self.decay_start)
        _ = self.hidden
        self._check_schedule()
        self._check_lambdas()
        self._check_generator()

    def _check_schedule(self) -> None:
        if self.schedule_steps is not None and self.schedule_steps < self.steps:
            raise UserError(
                f"steps: got {self.steps}, but the learning rate is 0 after the schedule's "
                f"{self.schedule_steps}; start a new run with --steps {self.steps}"
            )

    def _check_lambdas(self) -> None:
        paid = {"full": _LAMBDAS, "gamma": ("lambda_top",), "supervised": ()}.get(self.model, _LAMBDAS[:1])
        for name in _LAMBDAS:
            if getattr(self, name) and name not in paid:
                raise UserError(f"{name}: got {getattr(self, name)}, but --model {self.model} has none")
        if self.model == "ebgan":
            positive("lambda_bottom", self.lambda_bottom)

    def _check_generator(self) -> None:
        for name in ("margin", "margin_share", "generator_lr", "generator_layers", "codes"):
            value = getattr(self, name)
            if self.model != "ebgan" and value is not None:
                raise UserError(f"{name}: got {value}, but only --model ebgan has a generator; leave it out")
            if self.model == "ebgan" and value is None:
                raise UserError(f"{name}: is missing; --model ebgan needs it")
        if self.model == "ebgan":
            positive("margin", self.margin or 0.0)
            positive("generator_lr", self.generator_lr or 0.0)
            at_least("codes", self.codes or 0, 1)
            if not 0 < (self.margin_share or 0.0) <= 1:
                raise UserError(f"margin_share: got {self.margin_share}, allowed are shares above 0, up to 1")
            _ = self.generator_hidden

    @property
    def network_seeds(self) -> range:
        """The seed of each network."""
        return range(self.seed, self.seed + self.seeds)

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units of the hidden layers."""
        return _units("layers", self.layers)

    @property
    def generator_hidden(self) -> tuple[int, ...]:
        """Units of the generator's hidden layers."""
        return _units("generator_layers", self.generator_layers or "")

    @property
    def lambdas(self) -> tuple[float, ...]:
        """The weight of every layer's denoising cost, from the input to the classes."""
        middle = (self.lambda_middle for _ in self.hidden[1:])
        return (self.lambda_bottom, self.lambda_first, *middle, self.lambda_top)


_LAMBDAS = ("lambda_bottom", "lambda_first", "lambda_middle", "lambda_top")


def _units(argument: str, text: str) -> tuple[int, ...]:
    sizes = text.split("-")
    if not all(size.isdecimal() and int(size) for size in sizes):
        raise UserError(f"{argument}: got {text!r}, expected numbers of units such as 500-250")
    return tuple(map(int, sizes))
