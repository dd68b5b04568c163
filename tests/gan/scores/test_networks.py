from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from ebgan.data import Batches, load
from ebgan.errors import UserError
from ebgan.gan.scores import NETWORKS, kernel_inception_distance, load_network, networks
from ebgan.gan.scores.networks import find, network_for
from support.errors import assert_refused

real_data = pytest.mark.skipif("EBGAN_DATA" not in os.environ, reason="EBGAN_DATA names no real data")


def blurred(images: Tensor) -> Tensor:
    return interpolate(avg_pool2d(images, 2), scale_factor=2, mode="bilinear")


def noisy(images: Tensor, strength: float) -> Tensor:
    return images + strength * torch.randn(images.shape)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_frozen_network_gives_the_same_features_and_logits_each_time(name):
    entry, network = NETWORKS[name], load_network(name)
    images = torch.rand(8, *entry.image) * 2 - 1
    features, logits = network(images)
    assert features.shape == (8, entry.widths[-1]) and logits.shape == (8, entry.classes)
    assert not features.requires_grad and not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    torch.testing.assert_close(network(images[:1]).logits, logits[:1])
    torch.testing.assert_close(load_network(name)(images), (features, logits), rtol=0, atol=0)


@pytest.mark.parametrize("name", NETWORKS)
def test_class_names_are_as_many_as_the_classes_or_none(name):
    assert len(NETWORKS[name].class_names) in (0, NETWORKS[name].classes)


def test_weights_that_are_missing_or_others_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "files", lambda package: tmp_path)
    file = tmp_path / "weights" / "mnist.safetensors"
    assert_refused(lambda: load_network("mnist"), UserError, [str(file), "No such file", "reinstall"])
    file.parent.mkdir()
    file.write_bytes(b"other weights")
    found = hashlib.sha256(b"other weights").hexdigest()
    assert_refused(
        lambda: load_network("mnist"), UserError, [str(file), found, NETWORKS["mnist"].sha256, "reinstall"]
    )


@pytest.mark.parametrize(
    ("name", "image", "fragment"),
    [("digits", (1, 28, 28), "digits of 1x28x28"), ("cifar", (3, 32, 32), "cifar of 3x32x32")],
)
def test_images_without_a_network_are_refused_and_those_with_one_named(name, image, fragment):
    assert_refused(
        lambda: find(name, image), UserError, [fragment, "mnist of 1x32x32", "images of any shape"]
    )


def test_the_network_of_photographs_takes_images_of_any_shape_and_of_sets_without_their_own():
    assert find("images", (3, 128, 128)) is NETWORKS["images"]
    assert network_for("digits", (1, 8, 8)) == "digits"
    for data, image in (("digits", (1, 32, 32)), ("sprites", (3, 64, 64)), ("images", (3, 256, 256))):
        assert network_for(data, image) == "images"


def test_the_network_of_small_digits_is_right_on_more_than_98_percent_of_the_test_images():
    test = load("digits", "test")
    batches, network = Batches(test, len(test), size=8), load_network("digits")
    labels = torch.from_numpy(test.labels[batches.indices(0)])
    assert (network(batches.at(0)).logits.argmax(1) == labels).double().mean() > 0.98


@real_data
def test_the_digit_network_is_right_on_more_than_99_percent_of_the_test_images():
    test = load("mnist", "test")
    batches, network, right = Batches(test, 500, size=32), load_network("mnist"), 0
    for step in range(20):
        labels = torch.from_numpy(test.labels[batches.indices(step)])
        right += int((network(batches.at(step)).logits.argmax(1) == labels).sum())
    assert right > 9900


@pytest.mark.parametrize(
    ("name", "noise"),
    [
        ("digits", 0.5),  # 0.15 is not seen at 8x8
        pytest.param("mnist", 0.15, marks=real_data),
        pytest.param("images", 0.15, marks=real_data),
    ],
)
def test_kid_tells_damaged_images_from_whole_ones(name, noise):
    dogs = Path(os.environ.get("EBGAN_DATA", "")) / "dogs" / "tiny_imagenet_dogs_64.zip"
    training = load("images", root=dogs, size=64) if name == "images" else load(name)
    batches, network = Batches(training, 500, size=NETWORKS[name].image[-1]), load_network(name)
    real = network(batches.at(0)).features
    images = batches.at(1)
    whole, soft, grainy, grainier = (
        kernel_inception_distance(network(damaged).features, real, subsets=20, subset_size=250)
        for damaged in (images, blurred(images), noisy(images, noise), noisy(images, 2 * noise))
    )
    assert abs(whole.mean) < 2 * whole.std
    assert soft.mean > 10 * whole.std
    assert 10 * whole.std < grainy.mean < grainier.mean
