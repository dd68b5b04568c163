"""The description of a system, from which training, resuming, evaluating and its commands are made."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, get_args, get_type_hints

import torch

from ebgan.errors import UserError, require_training
from ebgan.files import StrPath, require_writable
from ebgan.training.device import as_device
from ebgan.training.fast import Choice, Workload, fastest, slow_choice
from ebgan.training.record import SCORES, write_scores
from ebgan.training.rehearsal import Rehearsal, rehearse
from ebgan.training.run_folder import Config, Rows, RunFolder, generator_of
from ebgan.training.summary import summary
from ebgan.training.system import Help, TrainingConfig
from ebgan.training.trainer import Trained, Trainer
from ebgan.training.world import World, world


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
        score: `score(run, config, device, data_root, *, ...)` evaluates the checkpoint that `run` is opened
            at (`load_newest`) and returns a dataclass whose `str` is a table. Its keyword parameters, numbers
            or words annotated with their `Help`, are the options of `ebgan evaluate`; its docstring is what
            `--help` says of it.
        prepare: completes the configuration of a new run before it is built and stored.
        measure: `measure(config, device, data_root)` gives the configuration of a new run with the values
            that depend on its data, before it is built and stored, and the log of finding them, which is kept
            as measured.jsonl.
        start: changes the built system of a new run before its first step.
        workload: the measured training step that a configuration's is most like, for `--fast`; None where
            none was measured.
        also: further commands whose runs are of this system.
        image_generator: makes the generator of images (`ebgan.gan.Generator`) that `ebgan sample` draws from
            in a run of a configuration, by its name in the checkpoints; raises `UserError` where it trains
            none. None where no run of the system does.
        nets: the networks that the system trains by name, and what each is in a few words.
        examples: commands that show how to train it, without `ebgan`.
        shared: whether several processes may train a run, each with its share of every batch.
        then: the commands that take a trained run of a configuration, as they are typed, "{run}" being its
            folder.
    """

    name: str
    help: str
    config: type[Config]
    preset: Callable[..., Config]
    presets: Mapping[str, Config]
    run_name: Callable[[Config], str]
    build: Callable[[Config, torch.device, StrPath | None], Trained]
    score: Callable[..., Any]
    prepare: Callable[[Config], Config] = lambda config: config
    measure: Callable[[Config, torch.device, StrPath | None], tuple[Config, Rows]] = lambda config, *_: (
        config,
        (),
    )
    start: Callable[[Config, Trained], None] = lambda config, system: None
    also: tuple[str, ...] = ()
    workload: Callable[[Config], Workload | None] = lambda config: None
    image_generator: Callable[[Config], Mapping[str, Any]] | None = None
    nets: Mapping[str, str]
    examples: tuple[str, ...]
    shared: bool = False
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
    def evaluation(self) -> dict[str, tuple[Any, Help, Any]]:
        """The options of the evaluation: type and help of each, and its default."""
        types = get_type_hints(self.score, include_extras=True)
        return {
            name: (*get_args(types[name]), parameter.default)
            for name, parameter in inspect.signature(self.score).parameters.items()
            if parameter.kind is parameter.KEYWORD_ONLY
        }

    def configure(self, **options: Any) -> Config:
        """The preset that the options choose, with the other options in place of its values."""
        chosen = {name: options.pop(name) for name in self.choosing if name in options}
        return dataclasses.replace(self.preset(**chosen), **options)

    def fastest(
        self, config: Config, device: torch.device, *, keep: Collection[str] = ()
    ) -> tuple[Config, Choice]:
        """The configuration `config` with the switches that are fastest on `device`, and why these.

        The switches that `keep` names stay as they are.
        """
        choice = fastest(self.workload(config), device)
        chosen = {name: value for name, value in choice.fields.items() if name not in keep}
        return dataclasses.replace(config, **chosen), choice

    def begin(
        self,
        config: Config,
        out: StrPath,
        *,
        device: torch.device | str = "auto",
        data_root: StrPath | None = None,
        command: str | None = None,
        replace: bool = False,
    ) -> Trainer[Trained]:
        """Build the system of `config` and begin its run in the new folder `out`; the trainer goes on.

        `replace` deletes a run of `command` there.
        """
        require_training()
        here = self._world()
        config = self.prepare(config)
        command = command or self.commands[0]
        measured: Rows = ()
        if here.first:
            RunFolder(out).require_free(command, replace=replace)
            config, measured = self.measure(config, as_device(device), data_root)
        config = here.told_by_first(config)
        system = self._built(config, as_device(device), data_root)
        if here.first:
            RunFolder.create(out, command, config, data_root=data_root, replace=replace, measured=measured)
        return Trainer(system, RunFolder(out), config)

    def train(
        self,
        config: Config,
        out: StrPath,
        *,
        device: torch.device | str = "auto",
        data_root: StrPath | None = None,
        command: str | None = None,
        replace: bool = False,
    ) -> Trained:
        """Train by `config` in the new run folder `out`; `replace` deletes a run of `command` there."""
        trainer = self.begin(
            config, out, device=device, data_root=data_root, command=command, replace=replace
        )
        trainer.train()
        return trainer.system

    def restore(
        self,
        path: StrPath,
        *,
        device: torch.device | str = "auto",
        data_root: StrPath | None = None,
        steps: int | None = None,
    ) -> Trainer[Trained]:
        """Load the run in the folder `path`, to train it to `steps` if given; the trainer goes on.

        The configuration is the stored one, and without `data_root` the run's own is taken.
        """
        require_training()
        here = self._world()
        run, config = self.open_run(path)
        if here.first:
            run.require_idle()
        if steps is not None:
            config = dataclasses.replace(config, steps=steps)
        device = as_device(device)
        _warn_if_slow(config, device)
        trainer = Trainer(self.build(config, device, run.data_root(data_root)), run, config)
        trainer.restore()
        if here.first:
            run.update(config, data_root=data_root)
        return trainer

    def resume(
        self,
        path: StrPath,
        *,
        device: torch.device | str = "auto",
        data_root: StrPath | None = None,
        steps: int | None = None,
    ) -> Trained:
        """Go on with the run in the folder `path`, by its stored configuration, to `steps` if given."""
        trainer = self.restore(path, device=device, data_root=data_root, steps=steps)
        trainer.train()
        return trainer.system

    def rehearse(
        self,
        config: Config,
        out: StrPath,
        *,
        device: torch.device | str = "auto",
        data_root: StrPath | None = None,
    ) -> tuple[str, Rehearsal]:
        """The summary of a run in `out`, and what a few of its steps take; nothing is written."""
        require_training()
        config = self.prepare(config)
        run = RunFolder(out)
        run.require_free(self.commands[0])
        config, _ = self.measure(config, as_device(device), data_root)
        system = self._built(config, as_device(device), data_root)
        return summary(Trainer(system, run, config)), rehearse(system, config)

    def open_run(self, path: StrPath, *, step: int | None = None) -> tuple[RunFolder, Config]:
        """The run folder `path` and its configuration; loaded is its checkpoint of `step`, or the newest.

        Raises:
            UserError: the folder holds no run, or one of another system.
        """
        return self._opened(RunFolder(path, step=step))

    def read_config(self, file: StrPath) -> tuple[RunFolder, Config]:
        """The run whose config.json `file` is, or a copy of it anywhere, and the configuration in it."""
        return self._opened(RunFolder.described_by(file))

    def trained_generator(
        self, path: StrPath, device: torch.device | str = "auto", *, step: int | None = None
    ) -> Any:
        """The generator of images of the run in the folder `path`, by the checkpoint of `step` or the newest.

        Raises:
            UserError: the folder holds no run of this system that trains one, or not that checkpoint whole.
        """
        run, config = self.open_run(path, step=step)
        assert self.image_generator is not None  # the caller asks for images of a system that draws some
        return generator_of(run, self.image_generator(config), as_device(device), config.precision)

    def evaluate(
        self,
        path: StrPath,
        *,
        device: torch.device | str = "auto",
        data_root: StrPath | None = None,
        step: int | None = None,
        **options: Any,
    ) -> Any:
        """Score a checkpoint of the run in the folder `path`, and write `path`/scores.json.

        It is the checkpoint of `step`, by default the newest. Without `data_root` the run's own is taken.
        `evaluation` lists the options, and the docstring of `score` says what is scored on which data.

        Raises:
            UserError: the folder holds no run of this system or not that checkpoint whole, its evaluation
                does not take an option, a value is out of range, the data is not there, or scores.json cannot
                be written.
        """
        device = as_device(device)
        run, config = self.open_run(path, step=step)
        for name in options.keys() - self.evaluation.keys():
            raise UserError(
                f"{name}: {path} is a run of 'ebgan {self.commands[0]}', whose evaluation does not take it; "
                f"leave --{name.replace('_', '-')} out"
            )
        require_writable(run.path / SCORES)
        given = {name: default for name, (*_, default) in self.evaluation.items()} | options
        scores = self.score(run, config, device, run.data_root(data_root), **given)
        write_scores(run, scores, given, config=config, device=device)
        return scores

    def _built(self, config: Config, device: torch.device, data_root: StrPath | None) -> Trained:
        """The system of a new run before its first step."""
        _warn_if_slow(config, device)
        system = self.build(config, device, None if data_root is None else Path(data_root))
        self.start(config, system)
        return system

    def _world(self) -> World:
        """The processes that train with this one.

        Raises:
            UserError: there are several, and the system cannot share a batch among them.
        """
        here = world()
        if here.size > 1 and not self.shared:
            raise UserError(
                f"'ebgan {self.commands[0]}' runs in one process, and torchrun started {here.size}; start it "
                "without torchrun"
            )
        return here

    def _opened(self, run: RunFolder) -> tuple[RunFolder, Config]:
        command = run.command()
        if command not in self.commands:
            raise UserError(f"{run.path}: is a run of 'ebgan {command}', not of 'ebgan {self.commands[0]}'")
        return run, run.read_config(self.config)


def _warn_if_slow(config: TrainingConfig, device: torch.device) -> None:
    if warning := slow_choice(config.precision, device):
        print(f"ebgan: {warning}", file=sys.stderr)
