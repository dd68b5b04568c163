"""`--accumulate`, `--flip` and `--crop-from`: batches in parts, and what is changed of real images."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ebgan import UserError
from ebgan.data import Batches, load
from ebgan.gan import EBGAN, GAN, SYSTEM, build, preset, trained_generator
from ebgan.gan import margin as of_margin
from ebgan.gan.interface import AutoEncoded, Classifier, Discriminator, Generator
from ebgan.gan.two_player import TwoPlayer
from ebgan.training import World, seed_step
from support.image_files import plain

CPU, DOUBLE = torch.device("cpu"), torch.float64
SMALL = dataclasses.replace(
    preset("digits"), generator_width=16, discriminator_width=16, batch_size=16, steps=4, threads=1
)


class PlainGenerator(Generator):
    """A generator without batch normalisation, which would see a part alone."""

    noise_shapes = ((3,), (2,))
    calls = 0

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 16), nn.Tanh())

    def forward(self, *z: Tensor) -> Tensor:
        self.calls += 1
        return self.layers(torch.cat(z, 1).to(DOUBLE)).view(-1, 1, 4, 4)


class PlainAutoEncoder(Discriminator):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(16, 6), nn.Linear(6, 16)

    def forward(self, images: Tensor) -> AutoEncoded:
        codes = self.encoder(images.flatten(1)).tanh()
        return AutoEncoded(self.decoder(codes).view_as(images), codes)


class PlainClassifier(Classifier):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(16, 6), nn.Tanh(), nn.Linear(6, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images).squeeze(1)


class RandomImages:
    def at(self, step: int) -> Tensor:
        random = torch.Generator().manual_seed(step)
        return torch.rand(12, 1, 4, 4, generator=random, dtype=DOUBLE) * 2 - 1


def trained(model: str, accumulate: int) -> tuple[TwoPlayer, dict[str, Tensor]]:
    torch.manual_seed(0)
    nets = PlainGenerator().double(), (PlainAutoEncoder() if model == "ebgan" else PlainClassifier()).double()
    system: TwoPlayer = (
        EBGAN(*nets, RandomImages(), margin=2.0, accumulate=accumulate)
        if model == "ebgan"
        else GAN(*nets, RandomImages(), accumulate=accumulate)
    )
    for step in range(1, 31):
        seed_step(0, step)
        metrics = system.step(step)
    return system, metrics


@pytest.mark.parametrize("model", ["ebgan", "gan"])
@pytest.mark.parametrize("parts", [2, 3, 6])
def test_a_batch_in_parts_makes_the_updates_of_the_whole_one(model: str, parts: int):
    (whole, of_whole), (parted, of_parts) = trained(model, 1), trained(model, parts)
    for name, net in whole.modules.items():
        torch.testing.assert_close(
            parted.modules[name].state_dict(), net.state_dict(), rtol=1e-9, atol=1e-12, msg=name
        )
    for name in of_whole.keys() - {"diversity"}:  # a spread is not the mean of the spreads of parts
        mean, expected = of_parts[name].double().mean(), of_whole[name].double().mean()
        torch.testing.assert_close(mean, expected, rtol=1e-6, atol=1e-9, msg=name)
    assert whole.generator.calls == 30 and parted.generator.calls == 60 * parts


def test_the_pulling_away_term_is_that_of_each_part():
    torch.manual_seed(0)
    system = EBGAN(
        PlainGenerator().double(),
        PlainAutoEncoder().double(),
        RandomImages(),
        margin=2.0,
        pulling_away_weight=0.1,
        accumulate=3,
    )
    assert system.step(1)["pulling_away"].shape == (3,)


def test_no_part_keeps_the_graph_of_another(monkeypatch: pytest.MonkeyPatch):
    """What is kept for gradients at a time is that of a part, or accumulating would save nothing."""

    def most_kept(accumulate: int) -> int:
        torch.manual_seed(0)
        nets = PlainGenerator().double(), PlainAutoEncoder().double()
        system = EBGAN(*nets, RandomImages(), margin=2.0, accumulate=accumulate)
        kept: dict[int, int] = {}
        most = 0

        class Held:
            def __init__(self, tensor: Tensor) -> None:
                nonlocal most
                self.tensor = tensor
                kept[id(self)] = tensor.nbytes if tensor.ndim and len(tensor) in (12, 4) else 0
                most = max(most, sum(kept.values()))

            def __del__(self) -> None:
                kept.pop(id(self), None)

        with torch.autograd.graph.saved_tensors_hooks(Held, lambda held: held.tensor):
            system.step(1)
        return most

    assert most_kept(3) < 0.5 * most_kept(1)


@pytest.mark.parametrize("changes", [{"accumulate": 2}, {"flip": True}])
def test_a_stopped_run_goes_on_to_the_same_bits(changes: dict[str, object], tmp_path: Path):
    config = dataclasses.replace(SMALL, **changes)
    SYSTEM.train(config, tmp_path / "whole", device=CPU)
    SYSTEM.train(dataclasses.replace(config, steps=2), tmp_path / "half", device=CPU)
    SYSTEM.resume(tmp_path / "half", steps=4, device=CPU)
    whole, half = (trained_generator(tmp_path / name, CPU) for name in ("whole", "half"))
    assert all(map(torch.equal, whole.state_dict().values(), half.state_dict().values()))
    logged = json.loads((tmp_path / "half" / "config.json").read_text())["config"]
    assert all(logged[name] == value for name, value in changes.items())


def test_flip_mirrors_about_half_of_the_images():
    plainly, flipped = build(SMALL, CPU, None), build(dataclasses.replace(SMALL, flip=True), CPU, None)
    as_they_are, changed = (
        torch.cat([system.batches.at(step) for step in range(8)]) for system in (plainly, flipped)
    )
    same = (changed == as_they_are).flatten(1).all(1)
    mirrored = (changed == as_they_are.flip(3)).flatten(1).all(1)
    assert (same | mirrored).all() and 40 < mirrored.sum() < 88


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.png").write_bytes(plain((9 * number, 99, 200), (96, 80)))
    return folder


def test_crops_are_random_squares_of_the_scaled_images(photographs: Path):
    config = dataclasses.replace(
        preset("images"), generator_width=16, discriminator_width=2, batch_size=4, crop_from=72
    )
    found = build(config, CPU, photographs).batches
    expected = Batches(load("images", root=photographs, size=72), 4, size=64, seed=config.seed)
    assert found.at(3).shape == (4, 3, 64, 64) and torch.equal(found.at(3), expected.at(3))


def test_a_margin_is_measured_in_parts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(of_margin, "MOST_STEPS", 100)
    seen: list[int] = []
    energy = of_margin.ek.reconstruction_energy

    def noted(reconstruction: Tensor, *rest: Tensor, **options: object) -> Tensor:
        seen.append(len(reconstruction))
        return energy(reconstruction, *rest, **options)

    monkeypatch.setattr(of_margin.ek, "reconstruction_energy", noted)
    in_parts = of_margin.settle(dataclasses.replace(SMALL, accumulate=4), CPU, None)
    assert set(seen) == {4} and len(seen) == 400
    assert in_parts.energy == pytest.approx(of_margin.settle(SMALL, CPU, None).energy, rel=0.2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"accumulate": 0}, "accumulate: got 0"),
        ({"accumulate": 3}, "accumulate: got 3, which does not part a batch of 16 into equal parts"),
        ({"accumulate": 16}, "accumulate: got 16, which does not part .* of at least 2 images"),
        ({"crop_from": 8}, "crop_from: got 8, but the images of net 'digits' are 8x8; .* numbers above 8"),
    ],
)
def test_wrong_values_are_named(changes: dict[str, int], message: str):
    with pytest.raises(UserError, match=message):
        dataclasses.replace(SMALL, **changes)


def test_a_set_that_keeps_its_size_has_no_crops():
    with pytest.raises(UserError, match="crop_from: 'digits' keeps its size of 8 pixels; leave it out"):
        build(dataclasses.replace(SMALL, crop_from=12), CPU, None)


def test_processes_and_parts_share_a_batch_evenly_or_say_so():
    here = World(0, 2)
    here.check_batch(16, 4)
    with pytest.raises(UserError, match=r"batch_size: got 12, .* in 4 parts each; .* multiples of 8"):
        here.check_batch(12, 4)
