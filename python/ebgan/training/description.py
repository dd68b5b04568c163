"""The description of a system, from which training, resuming, evaluating and its commands are made."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args, get_type_hints

import torch

from ebgan.errors import UserError, require_training
from ebgan.training.checkpoint import newest_valid
from ebgan.training.record import write_scores
from ebgan.training.run_folder import Config, RunFolder, load_newest
from ebgan.training.system import System
from ebgan.training.trainer import Trainer

Trained = TypeVar("Trained", bound=System)


@dataclass(frozen=True, kw_only=True)
class Description(Generic[Config, Trained]):
    """One system, as the training code and the command line see it.

    Attributes:
        name: the system is trained by `ebgan train NAME`.
        help: what `ebgan train NAME --help` says before its options.
        config: the class of its configurations; its fields are the options of `ebgan train NAME`.
        preset: gives a configuration that works. Its parameters, all with defaults, are the options that
            choose among the presets.
        presets: the presets that `--help` tells apart, by what a user gives for them.
        run_name: the name of a new run's folder.
        build: makes networks, optimisers and data of a configuration, initialised from its seed.
        score: `score(run, config, device, data_root, *, ...)` evaluates the newest checkpoint and returns a
            dataclass whose `str` is a table. Its keyword parameters, whole numbers annotated with their
            `Help`, are the options of `ebgan evaluate`; its docstring is what `--help` says of it.
        prepare: completes the configuration of a new run before it is built and stored.
        start: changes the built system of a new run before its first step.
        also: further commands whose runs are of this system.
        image_generator: makes the generator of images (`ebgan.gan.Generator`) that a run of a configuration
            trains as its module "generator", for `ebgan sample`; raises `UserError` where it trains none.
            None where no run of the system does.
        nets: the networks that the system trains by name, and what each is in a few words.
        examples: commands that show how to train it, without `ebgan`.
        then: the commands that take a trained run of a configuration, as they are typed, "{run}" being its
            folder.
    """

    name: str
    help: str
    config: type[Config]
    preset: Callable[..., Config]
    presets: Mapping[str, Config]
    run_name: Callable[[Config], str]
    build: Callable[[Config, torch.device, Path | None], Trained]
    score: Callable[..., Any]
    prepare: Callable[[Config], Config] = lambda config: config
    start: Callable[[Config, Trained], None] = lambda config, system: None
    also: tuple[str, ...] = ()
    image_generator: Callable[[Config], Any] | None = None
    nets: Mapping[str, str]
    examples: tuple[str, ...]
    then: Callable[[Config], tuple[str, ...]] = lambda config: ("evaluate {run}",)

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that make runs of the system, without `ebgan`; the first one is the usual one."""
        return (f"train {self.name}", *self.also)

    @cached_property
    def choosing(self) -> dict[str, Any]:
        """The options that choose among the presets, with their defaults."""
        parameters = inspect.signature(self.preset).parameters.values()
        return {parameter.name: parameter.default for parameter in parameters}

    @cached_property
    def evaluation(self) -> dict[str, tuple[str, int]]:
        """The options of the evaluation: the help of each, and its default."""
        types = get_type_hints(self.score, include_extras=True)
        return {
            name: (get_args(types[name])[1].text, parameter.default)
            for name, parameter in inspect.signature(self.score).parameters.items()
            if parameter.kind is parameter.KEYWORD_ONLY
        }

    def configure(self, **options: Any) -> Config:
        """The preset that the options choose, with the other options in place of its values."""
        chosen = {name: options.pop(name) for name in self.choosing if name in options}
        return dataclasses.replace(self.preset(**chosen), **options)

    def train(
        self,
        config: Config,
        out: Path,
        *,
        device: torch.device,
        data_root: Path | None = None,
        command: str | None = None,
        replace: bool = False,
    ) -> Trained:
        """Train by `config` in the new run folder `out`; `replace` deletes a run of `command` there."""
        require_training()
        config = self.prepare(config)
        system = self.build(config, device, data_root)
        self.start(config, system)
        run = RunFolder.create(out, command or self.commands[0], config, replace=replace)
        Trainer(system, run, config).train()
        return system

    def resume(
        self, path: Path, *, device: torch.device, data_root: Path | None = None, steps: int | None = None
    ) -> Trained:
        """Go on with the run in the folder `path`, by its stored configuration, to `steps` if given."""
        run, config = self.open_run(path)
        if steps is not None:
            config = dataclasses.replace(config, steps=steps)
        system = self.build(config, device, data_root)
        Trainer(system, run, config).train(resume=True)
        return system

    def open_run(self, path: Path) -> tuple[RunFolder, Config]:
        """The run folder `path` and its configuration; a run of another system is an error."""
        run = RunFolder(path)
        command = run.command()
        if command not in self.commands:
            raise UserError(f"{path}: is a run of 'ebgan {command}', not of 'ebgan {self.commands[0]}'")
        return run, run.read_config(self.config)

    def trained_generator(self, path: Path, device: torch.device | str = "cpu") -> Any:
        """The generator of images of the run in the folder `path`, as its newest whole checkpoint has it.

        Raises:
            UserError: the folder holds no run of this system that trains one, or no whole checkpoint.
        """
        run, config = self.open_run(path)
        assert self.image_generator is not None  # the caller asks for images of a system that draws some
        net = self.image_generator(config).to(device)
        load_newest(run, {"generator": net})
        return net

    def evaluate(
        self,
        path: Path,
        *,
        device: torch.device | str = "cpu",
        data_root: Path | None = None,
        **options: int,
    ) -> Any:
        """Score the newest checkpoint of the run in the folder `path`, and write `path`/scores.json.

        `evaluation` lists the options, and the docstring of `score` says what is scored on which data.

        Raises:
            UserError: the folder holds no run of this system or no whole checkpoint, its evaluation does not
                take an option, a value is out of range, or the data is not there.
        """
        device = torch.device(device)
        run, config = self.open_run(path)
        for name in options.keys() - self.evaluation.keys():
            raise UserError(
                f"{name}: {path} is a run of 'ebgan {self.commands[0]}', whose evaluation does not take it; "
                f"leave --{name.replace('_', '-')} out"
            )
        given = {name: default for name, (_, default) in self.evaluation.items()} | options
        scores = self.score(run, config, device, data_root, **given)
        checkpoint, _ = newest_valid(run.checkpoints)
        write_scores(run, scores, given, checkpoint=checkpoint, config=config, device=device)
        return scores
