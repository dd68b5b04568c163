"""What `--fast` chooses, and how a run keeps it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
import torch

from ebgan import UserError
from ebgan.cli import main
from ebgan.gan import trained_generator
from ebgan.systems import SYSTEMS
from ebgan.training import RunFolder, Workload, fast, fastest, kind_of
from ebgan.training.fast import Kind

CPU = torch.device("cpu")
KINDS: dict[Kind, dict[str, bool]] = {
    "a CPU with AMX": {"avx512_f": True, "avx512_bf16": True, "amx_tile": True, "amx_bf16": True},
    "a CPU with AVX512-BF16": {"avx512_f": True, "avx512_bf16": True, "amx_tile": False},
    "a CPU without products in bfloat16": {"avx512_f": True, "amx_tile": False},
}
EVERY = pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
SMALL = ["--width", "0.05", "--batch-size", "2", "--threads", "1"]


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[Kind], None]:
    """Makes torch describe the CPU as one of a kind."""

    def describe(kind: Kind) -> None:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: KINDS[kind], raising=False)

    return describe


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_of_a_cpu_is_what_torch_says_of_it(on, kind):
    on(kind)
    assert kind_of(CPU) == kind


def test_a_cpu_of_which_torch_says_nothing_counts_as_one_of_float32_alone(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert kind_of(CPU) == "a CPU without products in bfloat16"


@EVERY
@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_choice_is_of_fields_that_the_systems_have(system, kind, monkeypatch):
    monkeypatch.setattr(fast, "kind_of", lambda device: kind)
    for preset in system.presets.values():
        choice = fastest(system.workload(preset), CPU)
        config = dataclasses.replace(preset, **choice.fields)
        assert ("without" in kind) <= (config.precision == "float32")
        assert not config.compiled and choice.measurement in str(choice)


def test_every_workload_is_in_every_table():
    tables = fast._CHOICES.values()
    assert len(tables) == len(get_args(Kind))
    assert all(set(table) == set(get_args(Workload)) for table in tables)


def test_a_system_that_was_not_measured_keeps_its_options():
    video = next(system for system in SYSTEMS if system.name == "video")
    unmeasured = dataclasses.replace(video, workload=lambda config: None)
    config, choice = unmeasured.fastest(video.preset(), CPU)
    assert config == video.preset()
    assert str(choice) == "no switch (no step of this system was measured)"


def test_an_option_that_is_given_stays(on):
    on("a CPU with AVX512-BF16")
    video = next(system for system in SYSTEMS if system.name == "video")
    config, _ = video.fastest(
        video.configure(precision="float32", batch_size=3), CPU, keep=("precision", "batch_size")
    )
    assert (config.precision, config.channels_last, config.batch_size) == ("float32", True, 3)
    assert video.configure() == video.preset()


def test_what_was_chosen_is_printed_and_stored_and_resuming_keeps_it(on, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    on("a CPU with AVX512-BF16")
    assert main(["train", "video", "--steps", "2", "--out", "run", *SMALL, "--fast"]) == 0
    printed = capfd.readouterr().out.splitlines()[0]
    assert printed.startswith("--fast on a CPU with AVX512-BF16: precision bfloat16, channels_last True (")
    on("a CPU without products in bfloat16")
    assert main(["train", "video", "--resume", "run", "--steps", "3"]) == 0
    said = capfd.readouterr().err
    assert "precision: cpu is a CPU without products in bfloat16; the run keeps bfloat16, slower here" in said
    stored = json.loads(Path("run/config.json").read_text())["config"]
    assert (stored["precision"], stored["channels_last"], stored["compiled"]) == ("bfloat16", True, False)
    assert main(["train", "video", "--resume", "run", "--fast"]) == 2
    assert "fast: a resumed run keeps its own value; leave --fast out" in capfd.readouterr().err


def test_without_fast_every_switch_is_off():
    for system in SYSTEMS:
        for preset in system.presets.values():
            off = preset.precision == "float32" and not preset.compiled
            assert off and not getattr(preset, "channels_last", False)


def test_a_run_of_an_earlier_version_has_every_switch_at_its_default(tmp_path):
    for system in SYSTEMS:
        run = RunFolder.create(tmp_path / system.name, system.commands[0], system.preset())
        content = json.loads(run.config.read_text())
        for name in system.config.added:
            del content["config"][name]
        run.config.write_text(json.dumps(content))
        # Which is not the preset's where an option is on in new runs.
        defaults = {field.name: field.default for field in dataclasses.fields(system.config)}
        before = {name: defaults[name] for name in system.config.added}
        assert run.read_config(system.config) == dataclasses.replace(system.preset(), **before)


def test_a_run_is_sampled_in_the_precision_that_it_was_trained_in(tmp_path, tiny):
    gan = next(system for system in SYSTEMS if system.name == "gan")
    images = {}
    for precision in ("float32", "bfloat16"):
        path = tmp_path / precision
        gan.train(tiny(steps=1, precision=precision, generator_lr=1e-12), path, device=CPU)
        net = trained_generator(path, CPU).eval()
        images[precision] = net(torch.ones(4, 32))
    assert images["bfloat16"].dtype == torch.float32
    assert not torch.equal(images["bfloat16"], images["float32"])
    torch.testing.assert_close(images["bfloat16"], images["float32"], rtol=0.02, atol=0.02)


def test_a_compiled_run_is_refused_in_words_where_there_is_no_compiler(tmp_path, tiny, monkeypatch):
    gan = next(system for system in SYSTEMS if system.name == "gan")
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(UserError, match=r"compiled: torch.compile needs a C\+\+ compiler, and 'no-such-comp"):
        gan.train(tiny(steps=1, compiled=True), tmp_path / "run", device=CPU)
    assert not (tmp_path / "run").exists()
