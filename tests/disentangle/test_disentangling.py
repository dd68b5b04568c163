"""The training step: which terms it has, what each of them updates, and that it learns."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from ebgan.data import load
from ebgan.disentangle import (
    Codes,
    Disentangling,
    Identities,
    Shown,
    TripletBatches,
    Triplets,
    Weights,
    decoder,
    discriminator,
    encoder,
    energy_discriminator,
)
from ebgan.disentangle.adversary import Energies
from ebgan.disentangle.classifier import IdentityClassifier
from ebgan.errors import UserError

IMAGE, SIZES = (1, 8, 8), {"width": 4, "style_size": 6, "identity_size": 5}
NO_ADVERSARY = Weights(adversarial=0.0)


@dataclass
class Same:
    """The same triplets at every step."""

    triplets: Triplets

    def at(self, step: int) -> Triplets:
        return self.triplets


class Recorded(nn.Module):
    """A network that remembers the batches it was given, and a copy of its result."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.seen: list[tuple[Tensor, ...]] = []

    def forward(self, *arguments: Tensor) -> Tensor:
        self.seen.append(tuple(each.detach().clone() for each in arguments))
        return self.net(*arguments)


class FixedEncoder(nn.Module):
    """An encoder whose z is the first six pixels and whose s is the next five."""

    def __init__(self, log_std: float) -> None:
        super().__init__()
        self.scale, self.log_std = nn.Parameter(torch.ones(())), log_std

    def forward(self, images: Tensor) -> Codes:
        pixels = images.flatten(1) * self.scale
        return Codes(pixels[:, :6], torch.full_like(pixels[:, :6], self.log_std), pixels[:, 6:11])


def batches(count: int = 8) -> TripletBatches:
    digits = load("digits")
    return TripletBatches(digits, Identities(digits, ("class",)), count)


def system(weights: Weights | None = None, **changes) -> Disentangling:
    parts = {
        "encoder": encoder("small", IMAGE, **SIZES),
        "decoder": decoder("small", IMAGE, **SIZES),
        "batches": batches(),
        "discriminator": discriminator("small", IMAGE, width=4, identities=(10,)),
    } | changes
    return Disentangling(
        parts.pop("encoder"), parts.pop("decoder"), parts.pop("batches"), weights=weights, **parts
    )


def state(net: nn.Module) -> dict[str, Tensor]:
    return {name: each.clone() for name, each in net.named_parameters()}


def moved(before: dict[str, Tensor], net: nn.Module) -> bool:
    return any(not torch.equal(before[name], each) for name, each in net.named_parameters())


def test_a_batch_of_16_triplets_is_48_images_to_encode_and_112_codes_to_decode():
    enc, dec = Recorded(encoder("small", IMAGE, **SIZES)), Recorded(decoder("small", IMAGE, **SIZES))
    system(encoder=enc, decoder=dec, batches=batches(16)).step(1)
    assert [len(seen[0]) for seen in enc.seen] == [48] and [len(seen[0]) for seen in dec.seen] == [112]


def test_every_decoding_has_the_style_and_the_identity_of_its_term():
    dec = Recorded(decoder("small", IMAGE, **SIZES))
    made = system(NO_ADVERSARY, encoder=FixedEncoder(-50.0), decoder=dec)
    made.step(1)
    x = made.batches.at(0).images.flatten(2)
    pairs = [(0, 0), (1, 1), (2, 2), (0, 1), (1, 0), (2, 1), (1, 2)]
    style, identity = dec.seen[0]
    torch.testing.assert_close(style, torch.cat([x[z, :, :6] for z, _ in pairs]))
    torch.testing.assert_close(identity, torch.cat([x[s, :, 6:11] for _, s in pairs]))


def test_the_style_is_sampled_anew_for_every_decoding_and_is_the_mean_without_a_divergence():
    for weights, repeats in ((Weights(adversarial=0), False), (Weights(adversarial=0, kl=0), True)):
        dec = Recorded(decoder("small", IMAGE, **SIZES))
        system(weights, encoder=FixedEncoder(0.0), decoder=dec).step(1)
        own, swapped = dec.seen[0][0][:8], dec.seen[0][0][24:32]
        assert torch.equal(own, swapped) is repeats


def test_swap_1_of_identical_images_is_their_reconstruction():
    images, ids = batches().at(0)
    images[1] = images[0]
    made = system(Weights(kl=0, adversarial=0), batches=Same(Triplets(images, ids)))
    made.encoder.eval(), made.decoder.eval()
    with torch.no_grad():
        _, metrics, _, _ = made.objective(images[:, :, :], ids)
        own = made.decoder(*(made.encoder(images[0])[i] for i in (0, 2)))
    torch.testing.assert_close(metrics["swap"], (own - images[0]).square().mean())


def test_the_loss_is_the_weighted_sum_of_the_plain_terms():
    weights = Weights(reconstruction=0.3, swap=0.7, kl=0.2, adversarial=0)
    made = system(weights)
    images, ids = made.batches.at(0)
    torch.manual_seed(5)
    loss, metrics, _, _ = made.objective(images, ids)
    torch.manual_seed(5)
    codes = made.encoder(images.flatten(0, 1))
    mean, log_std, s = (each.unflatten(0, (3, 8)) for each in codes)
    z_of, s_of = [0, 1, 2, 0, 1, 2, 1], [0, 1, 2, 1, 0, 1, 2]
    z = mean[z_of] + log_std[z_of].exp() * torch.randn_like(mean[z_of])
    drawn = made.decoder(z.flatten(0, 1), s[s_of].flatten(0, 1)).unflatten(0, (7, 8))
    reconstruction = (drawn[:3] - images).square().mean()
    swap = (drawn[3:5] - images[:2]).square().mean()
    kl = 0.5 * ((2 * log_std).exp() + mean**2 - 2 * log_std - 1).sum(2).mean()
    torch.testing.assert_close(metrics["kl"], kl)
    torch.testing.assert_close(loss, 0.3 * reconstruction + 0.7 * swap + 0.2 * 6 / 64 * kl)


def test_the_discriminator_sees_real_images_and_the_fakes_of_before_the_update():
    seen = Recorded(discriminator("small", IMAGE, width=4, identities=(10,)))
    made = system(discriminator=seen)
    made.step(1)
    images, ids = made.batches.at(0)
    (fakes, fake_ids), (real, real_ids), (again, again_ids) = seen.seen
    assert torch.equal(real, images[1:].flatten(0, 1)) and torch.equal(real_ids, ids[1:].flatten(0, 1))
    assert torch.equal(fakes, again) and torch.equal(fake_ids, again_ids)
    assert torch.equal(fake_ids, ids[1:].flatten(0, 1)), "Dec(z3, s2) under id 2, Dec(z2, s3) under id 3"


def test_each_optimiser_updates_its_networks_alone():
    made = system()
    discriminating = made.optimizers["discriminator"]
    before = {name: state(net) for name, net in made.modules.items()}
    assert set(before) == {"encoder", "decoder", "discriminator"}
    discriminating.step = lambda *_: None  # type: ignore[method-assign]
    made.step(1)
    assert [name for name, net in made.modules.items() if moved(before[name], net)] == ["encoder", "decoder"]
    made = system()
    before = {name: state(net) for name, net in made.modules.items()}
    made.optimizers["generator"].step = lambda *_: None  # type: ignore[method-assign]
    made.step(1)
    assert [name for name, net in made.modules.items() if moved(before[name], net)] == ["discriminator"]


@pytest.mark.parametrize("name", ["adversarial", "sampling"])
def test_each_adversarial_term_reaches_the_decoder(name):
    weights = Weights(**{**dict.fromkeys(("reconstruction", "swap", "kl", "adversarial"), 0.0), name: 1.0})
    made = system(weights)
    before = state(made.decoder)
    metrics = made.step(1)
    assert moved(before, made.decoder) and name in metrics
    assert ("adversarial" in metrics) is (name == "adversarial")


def test_sampled_styles_come_from_the_prior():
    dec = Recorded(decoder("small", IMAGE, **SIZES))
    made = system(Weights(sampling=0.01), decoder=dec, batches=batches(500), encoder=FixedEncoder(0.0))
    made.step(1)
    style, identity = dec.seen[0]
    assert len(style) == 9 * 500
    torch.testing.assert_close(style[3500:].mean(0), torch.zeros(6), atol=0.15, rtol=0)
    torch.testing.assert_close(style[3500:].std(0), torch.ones(6), atol=0.15, rtol=0)
    x = made.batches.at(0).images.flatten(2)
    torch.testing.assert_close(identity[3500:], torch.cat([x[1, :, 6:11], x[2, :, 6:11]]))


def test_without_an_adversary_there_is_no_discriminator():
    made = system(NO_ADVERSARY)
    assert set(made.modules) == {"encoder", "decoder"} and set(made.optimizers) == {"generator"}
    assert set(made.step(1)) == {"reconstruction", "swap", "kl"}
    assert {curve.key for plot in made.plots for curve in plot.curves} == {"reconstruction", "swap", "kl"}


def test_a_weight_without_its_network_is_refused():
    with pytest.raises(UserError, match="discriminator: is missing"):
        system(discriminator=None)
    with pytest.raises(UserError, match="classifier: is missing"):
        system(Weights(classes=1.0))


def test_the_classifier_is_trained_on_the_identity_of_all_three():
    classifier = IdentityClassifier(5, (10,), dropout=False)
    made = system(Weights(adversarial=0, classes=1.0), classifier=classifier)
    images, ids = made.batches.at(0)
    logits = classifier.layers(made.encoder(images.flatten(0, 1)).identity)
    expected = -logits.log_softmax(1).gather(1, ids.flatten(0, 1)).mean()
    torch.testing.assert_close(made.objective(images, ids)[1]["class"], expected)
    before = state(classifier)
    made.step(1)
    assert moved(before, classifier) and "classifier" in made.modules


@pytest.mark.parametrize(("dropout", "share"), [(False, 0.0), (True, 0.5)])
def test_half_of_the_classifiers_units_are_dropped_or_none(dropout, share):
    classifier = IdentityClassifier(5, (10,), dropout=dropout)
    units = classifier.layers[:-1](torch.rand(200, 5) + 1)
    alive = classifier.layers[:-2](torch.rand(200, 5) + 1).mean(0) > 0.1  # what the rectifier leaves
    assert (units[:, alive] == 0).float().mean().item() == pytest.approx(share, abs=0.03)
    assert (classifier.eval().layers[:-1](torch.rand(9, 5) + 1)[:, alive] != 0).any()


def test_energies_take_the_place_of_logits():
    made = system(
        discriminator=energy_discriminator("small", IMAGE, width=4, identities=(10,), identity_size=5),
        adversary=Energies(0.3),
    )
    before = {name: state(net) for name, net in made.modules.items()}
    metrics = made.step(1)
    assert all(moved(before[name], net) for name, net in made.modules.items())
    assert metrics["real_energy"].shape == (16,) and metrics["fake_energy"].shape == (16,)
    hinge = (0.3 - metrics["fake_energy"]).clamp(min=0)
    torch.testing.assert_close(metrics["discriminator_loss"], metrics["real_energy"].mean() + hinge.mean())


def test_the_pictures_leave_the_state_as_it_was():
    images, _ = batches().at(0)
    made = system(shown=Shown(images[0], images[2, :4]))
    made.step(1)
    before = {name: copy.deepcopy(net.state_dict()) for name, net in made.modules.items()}
    picture = made.pictures()["swaps"]
    assert picture.shape[2] == 3 and picture.shape[0] > 9 * 64 and picture.shape[1] > 5 * 64
    for name, net in made.modules.items():
        assert net.training
        assert all(torch.equal(before[name][key], value) for key, value in net.state_dict().items())
    assert not system().pictures()


def test_bfloat16_gives_losses_in_float32():
    made = system(precision="bfloat16")
    metrics = made.step(1)
    assert all(each.dtype == torch.float32 and each.isfinite().all() for each in metrics.values())


def test_the_identity_is_learnt_and_the_style_reconstructs():
    torch.set_num_threads(1)
    made = system(batches=batches(32))
    first = made.step(1)
    for step in range(2, 151):
        metrics = made.step(step)
    assert metrics["swap"] < 0.5 * first["swap"] and metrics["reconstruction"] < metrics["swap"] + 0.02
    digits = load("digits", "test")
    images = torch.from_numpy(digits.images).float() / 127.5 - 1
    made.encoder.eval()
    with torch.no_grad():
        s = made.encoder(images).identity
    labels = torch.from_numpy(digits.labels)
    centres = torch.stack([s[labels == label].mean(0) for label in range(10)])
    assert (torch.cdist(s, centres).argmin(1) == labels).float().mean() > 0.8
