from __future__ import annotations

import sys
from dataclasses import asdict

import numpy as np
import pytest
import torch
from PIL import Image

from ebgan.data import ImageSet, load
from ebgan.errors import UserError
from ebgan.gan import Generator, generator, sample
from ebgan.gan.scores import NETWORKS, chunks, evaluate
from support.errors import assert_refused


def small_generator():
    torch.manual_seed(3)
    return generator("mnist", layers=2, width=16)


def photographs(count: int) -> ImageSet:
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, 64, 64), dtype=np.uint8)
    return ImageSet(pixels, np.zeros(count, np.int64), "images", "train", ("noise",))


def test_digits_get_class_scores_of_all_four_sets():
    net, training, other = small_generator(), load("digits"), load("digits", "test")
    scores = evaluate(net, training, network="mnist", untrained=net, other=other, count=600)
    assert scores.network == "mnist" and scores.sha256 == NETWORKS["mnist"].sha256
    counts = {name: one.count for name, one in scores.sets.items()}
    assert counts == {"samples": 600, "real": 355, "untrained": 600, "pixel noise": 600}
    assert scores.sets["samples"] == scores.sets["untrained"]
    assert scores.sets["real"].kid.mean < scores.sets["samples"].kid.mean
    for one in scores.sets.values():
        assert list(one.classes.shares) == list("0123456789")
        assert sum(one.classes.shares.values()) == pytest.approx(1)
        assert one.classes.modified_inception_score >= 0 and 1 <= one.classes.inception_score <= 10
        assert 0.1 <= one.classes.mean_top_probability <= 1
    table = str(scores)
    assert scores.sha256 in table and "I'" in table
    assert scores.sets["real"].manifold.coverage > scores.sets["samples"].manifold.coverage
    assert scores.separation is None and scores.nearest.count == 500
    assert f"ratio {scores.nearest.ratio:.2f}" in table and "AUC" not in table
    assert all(f"{name:<12}" in table for name in scores.sets)


def test_photographs_get_kid_alone_and_real_ones_are_compared_half_by_half():
    net = generator("celeba-64", width=16)
    scores = evaluate(net, photographs(41), network="images", untrained=net, count=4)
    assert {name: one.count for name, one in scores.sets.items()} == {
        "samples": 4,
        "real": 21,
        "untrained": 4,
        "pixel noise": 4,
    }
    assert all(one.classes is None for one in scores.sets.values())
    assert "I'" not in str(scores) and "shares" not in str(scores)


def test_images_of_any_shape_are_scored_by_the_network_of_photographs():
    small, digits = small_generator(), load("digits")
    scores = evaluate(small, digits, network="images", untrained=small, count=30)
    assert scores.network == "images" and scores.sets["real"].classes is None
    assert scores.sets["real"].kid.mean < scores.sets["samples"].kid.mean
    assert scores.separation is scores.nearest is None


def test_energies_are_compared_over_all_samples_and_all_held_out_images():
    net, digits, other = small_generator(), load("digits"), load("digits", "test")
    seen = []

    def darkness(images):
        seen.append(len(images))
        return images.mean((1, 2, 3))  # the padded digits are darker than the samples

    scores = evaluate(
        net, digits, network="mnist", untrained=net, other=other, energy=darkness, count=600, seed=2
    )
    assert scores.separation > 0.99 and seen == [355, 500, 100]
    assert f"AUC {scores.separation:.3f}" in str(scores)


def test_copies_of_training_images_are_found_and_the_picture_shows_them(tmp_path):
    digits, other = load("digits"), load("digits", "test")
    copies = torch.from_numpy(digits.images[:500]).float() / 127.5 - 1

    class Copying(Generator):
        noise_shapes = ((1,),)

        def __init__(self) -> None:
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(()))

        def forward(self, z):
            return copies[: len(z)] * self.scale

    picture = tmp_path / "nearest.png"
    net = Copying()
    scores = evaluate(net, digits, network="digits", untrained=net, other=other, count=500, picture=picture)
    assert scores.nearest.ratio < 1e-3 and scores.nearest.copies > 0.99
    pixels = np.asarray(Image.open(picture)).astype(int)
    assert pixels.shape[1] > 12 * 64
    honest = evaluate(
        generator("digits"), digits, network="digits", untrained=net, other=digits, count=500
    ).nearest
    assert honest.held_out == pytest.approx(0, abs=1e-3) and honest.copies == 0


def test_one_seed_gives_the_same_scores_and_another_seed_others():
    net, digits = small_generator(), load("digits")
    first, again, other = (
        evaluate(net, digits, network="mnist", untrained=net, count=20, seed=seed) for seed in (0, 0, 1)
    )
    assert asdict(first) == asdict(again) != asdict(other)


def test_samples_come_in_chunks_each_with_noise_of_its_own():
    net = small_generator()
    images = list(chunks.generated(net, 1001, seed=5))
    assert [len(chunk) for chunk in images] == [500, 500, 1]
    assert not torch.equal(images[0], images[1])
    longer = list(chunks.generated(net, 2000, seed=5))
    assert all(torch.equal(images[number], longer[number]) for number in (0, 1))
    assert not torch.equal(next(chunks.generated(net, 500, seed=6)), images[0])
    assert not torch.equal(sample(net, 500, seed=5), images[0])


def test_real_images_are_all_taken_once_and_padded_as_in_training():
    digits = load("digits", "test")
    images = torch.cat(list(chunks.real(digits, len(digits), 32, seed=0)))
    assert images.shape == (355, 1, 32, 32) and (images[:, :, :12] == -1).all()
    found = images[:, 0, 12:20, 12:20].flatten(1).double()
    expected = torch.from_numpy(digits.images).flatten(1) / 127.5 - 1
    assert sorted(found.sum(1).tolist()) == pytest.approx(sorted(expected.double().sum(1).tolist()), abs=1e-4)


def test_halves_that_are_compared_share_no_photograph(monkeypatch):
    net, compared = generator("celeba-64", width=16), []
    module = sys.modules[evaluate.__module__]
    distance = module.kernel_inception_distance

    def remember(features, against, **options):
        compared.append((features, against))
        return distance(features, against, **options)

    monkeypatch.setattr(module, "kernel_inception_distance", remember)
    evaluate(net, photographs(41), network="images", untrained=net, count=4)
    samples, real, untrained, noise = compared
    assert len(torch.cat(real).unique(dim=0)) == 41 and [len(each) for each in real] == [21, 20]
    for features, against in (samples, untrained, noise):
        assert len(features) == 4 and len(against.unique(dim=0)) == 41


def test_pixel_noise_has_the_mean_and_deviation_of_each_pixel():
    images = torch.rand(1300, 1, 2, 2) * torch.tensor([[0.2, 0.5], [0.1, 0.0]]) - 0.3
    mean, std = chunks.pixel_statistics(iter(images.split(500)))
    torch.testing.assert_close(mean, images.mean(0))
    torch.testing.assert_close(std, images.std(0, correction=0), rtol=1e-4, atol=1e-6)
    noise = torch.cat(list(chunks.pixel_noise(mean, std, 20_000, seed=0)))
    torch.testing.assert_close(noise.mean(0), mean, rtol=0, atol=0.01)
    torch.testing.assert_close(noise.std(0), std, rtol=0.05, atol=1e-6)


def test_pixel_noise_stays_within_the_range_of_images():
    noise = next(chunks.pixel_noise(torch.zeros(1, 4, 4), torch.full((1, 4, 4), 9.0), 100, seed=0))
    assert noise.min() == -1 and noise.max() == 1


@pytest.mark.parametrize(
    ("options", "fragments"),
    [
        ({"count": 1}, ["samples: got 1", "from 2 up"]),
        ({"seed": -1}, ["seed: got -1"]),
        ({"network": "cifar"}, ["cifar", "mnist of 1x32x32"]),
        ({"training": photographs(4)}, ["training: got 3-channel images", "'mnist' takes 1"]),
    ],
)
def test_what_cannot_be_scored_is_refused(options, fragments):
    arguments = {"training": load("digits"), "network": "mnist", "untrained": small_generator()} | options
    assert_refused(lambda: evaluate(small_generator(), **arguments), UserError, fragments)
