"""Reconstruction energy, hinge margin loss, and the discriminator's and the generator's loss of EBGAN.

Zhao, Mathieu, LeCun, "Energy-based Generative Adversarial Network", arXiv:1609.03126, section 2: the
discriminator is an auto-encoder, and what it cannot reconstruct has a high energy.

Gradients of a scalar loss are computed in its forward pass, in the same pass over the images (3 units of
memory traffic a pair, where recomputing takes 5), and handed out by the first backward pass; a second one
over a retained graph computes them again. Double backward and ``torch.func`` transforms run the reference.
Programs of ``torch.export`` are forward only: they do not train.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from ebgan_kernels.backends import select
from ebgan_kernels.checks import check_option, check_pair, checked_weight
from ebgan_kernels.checks.energy import check_energies, check_images, margin_tensor
from ebgan_kernels.checks.pulling_away import check_codes_of
from ebgan_kernels.native.energy import DISTANCES, SHAPINGS
from ebgan_kernels.ops.energy_autograd import (
    DiscriminatorLossFunction,
    GeneratorLossFunction,
    HingeMarginLossFunction,
    ReconstructionEnergyFunction,
)
from ebgan_kernels.ops.gradients import Call, needed_gradients
from ebgan_kernels.ops.pulling_away import pulling_away
from ebgan_kernels.reference import energy as reference
from ebgan_kernels.reference.energy import Distance, Shaping

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


class DiscriminatorLoss(NamedTuple):
    """The result of :func:`discriminator_loss`: the loss to differentiate, and both energies, detached."""

    loss: Tensor
    real_energy: Tensor
    fake_energy: Tensor


def reconstruction_energy(reconstruction: Tensor, target: Tensor, *, distance: Distance = "l2") -> Tensor:
    r"""The energy of each sample: how far its reconstruction lies from it.

    With the residual r = reconstruction - target of one sample and its D elements::

        "l2"          E = sqrt(sum_j r_j^2)   the paper's ||Dec(Enc(x)) - x||; its sub-gradient at r = 0 is 0
        "squared_l2"  E = sum_j r_j^2
        "mse"         E = sum_j r_j^2 / D     at most 4 for images in [-1, 1]: margins 10 to 80 are for "l2"
        "l1"          E = sum_j |r_j|

    Args:
        reconstruction: (N, ...), float16, bfloat16, float32 or float64, of any layout.
        target: the images x themselves, same shape and device; its dtype may differ, but float64 goes only
        with float64.
        distance: as above.

    Returns:
        (N,) energies in float32 (float64 for float64 input), in the images' units ("l2", "l1") or their
        square.

    Gradients: to reconstruction and to target, each in its own dtype. The second derivative of "l2" at r = 0
    is NaN, as that of ``torch.linalg.vector_norm``.
    Range: squares of residuals beyond 1e19 overflow float32, and the energy is infinite but for "l1".
    Errors: ValueError for shapes or devices that differ and unknown options, TypeError for dtypes.
    Memory: the energies; backward adds one buffer of the size of each gradient asked for. A tensor whose
    samples are not dense, or not laid out as its partner's, is copied.
    Source: arXiv:1609.03126, section 2.3.

    Example:
        >>> import torch, ebgan_kernels
        >>> x = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
        >>> ebgan_kernels.reconstruction_energy(x + torch.tensor([3.0, 4.0]), x).tolist()
        [5.0, 5.0]
    """
    check_option("distance", distance, DISTANCES)
    check_pair("reconstruction", reconstruction, "target", target)
    backend = select(reconstruction)
    if backend == "reference":
        return reference.reconstruction_energy(reconstruction, target, distance)
    call = Call(backend, needed_gradients(reconstruction, target), (DISTANCES[distance],))
    return ReconstructionEnergyFunction.apply(call, reconstruction, target)


def hinge_margin_loss(
    real_energy: Tensor, fake_energy: Tensor, margin: float | Tensor, *, shaping: Shaping = "identity"
) -> Tensor:
    """The EBGAN discriminator's loss for given energies: mean f(E_real) + mean f([margin - E_fake]^+).

    The hinge is taken for each sample and then averaged. Many public ports take the hinge of the batch mean
    instead, [margin - mean E_fake]^+, which stops pushing on every fake as soon as their average is high
    enough: for energies 0 and 2 margin this loss is margin / 2, theirs is 0.

    Args:
        real_energy: (N,), any floating dtype.
        fake_energy: (M,), M may differ from N.
        margin: m >= 0 in units of the energy; a number, or a 0-d tensor of one on the energies' device. A
            schedule should fill a tensor in place: that neither recompiles nor synchronises.
        shaping: the deck's f: "identity", f(t) = t, or "square", f(t) = t^2.

    Returns:
        0-d, float32 (float64 for float64 input). The mean over an empty batch is NaN, as in PyTorch.

    Gradients: to both energies, in their dtypes; relu'(0) = 0. The margin gets none, and one that requires a
    gradient is refused.
    Errors: ValueError for energies that are not vectors, a negative margin, unknown options; TypeError for
    dtypes.
    Memory: the gradients of both energies.
    Source: arXiv:1609.03126, equations 1 and 2; f from LeCun's deck, "EBGAN Loss function".

    Example:
        >>> import torch, ebgan_kernels
        >>> ebgan_kernels.hinge_margin_loss(torch.zeros(2), torch.tensor([0.0, 20.0]), 10.0).item()
        5.0
    """
    check_option("shaping", shaping, SHAPINGS)
    check_energies("real_energy", real_energy, "fake_energy", fake_energy)
    margin = margin_tensor(margin, fake_energy)
    backend = select(fake_energy)
    if backend == "reference":
        return reference.hinge_margin_loss(real_energy, fake_energy, margin, shaping)
    call = Call(backend, needed_gradients(real_energy, fake_energy), (SHAPINGS[shaping],))
    return HingeMarginLossFunction.apply(call, real_energy, fake_energy, margin)


def discriminator_loss(
    real_reconstruction: Tensor,
    real: Tensor,
    fake_reconstruction: Tensor,
    fake: Tensor,
    *,
    margin: float | Tensor,
    distance: Distance = "l2",
    shaping: Shaping = "identity",
) -> DiscriminatorLoss:
    """The loss of an EBGAN discriminator, from its two reconstructions.

    The loss is mean f(E(real)) + mean f([margin - E(fake)]^+), with E of :func:`reconstruction_energy` and
    the per-sample hinge of :func:`hinge_margin_loss`. Both energies, hinge, loss and gradients come from one
    pass over the images.

    Args:
        real_reconstruction, real: (N, ...), D(x) and x.
        fake_reconstruction, fake: (M, ...), D(G(z)) and G(z), as a rule detached; M may differ from N, and
            the dtypes from those of the real pair; the size of an image may not.
        margin, distance, shaping: as in :func:`hinge_margin_loss` and :func:`reconstruction_energy`.

    Returns:
        ``(loss, real_energy, fake_energy)``: the 0-d loss, and the energies (N,) and (M,), detached, to log
        or to steer a schedule; float32 (float64 for float64 input).

    Gradients: to all four images, each in its own dtype; none to the margin.
    Errors: as in the two functions above; ValueError for fake images of another size than the real ones.
    Memory: one buffer for each gradient asked for, from forward to backward (2 of 4 images in the usual
    step).
    Source: arXiv:1609.03126, equation 1.

    Example:
        >>> import torch, ebgan_kernels
        >>> x, fake = torch.zeros(8, 3, 4, 4), torch.ones(8, 3, 4, 4)
        >>> round(ebgan_kernels.discriminator_loss(x, x, fake - 0.5, fake, margin=10.0).loss.item(), 3)
        6.536
    """
    check_option("distance", distance, DISTANCES)
    check_option("shaping", shaping, SHAPINGS)
    check_images(real_reconstruction, real, fake_reconstruction, fake)
    margin = margin_tensor(margin, fake)
    images = (real_reconstruction, real, fake_reconstruction, fake)
    backend = select(fake)
    if backend == "reference":
        return DiscriminatorLoss(*reference.discriminator_loss(*images, margin, distance, shaping))
    call = Call(backend, needed_gradients(*images), (DISTANCES[distance], SHAPINGS[shaping]))
    return DiscriminatorLoss(*DiscriminatorLossFunction.apply(call, *images, margin))


def generator_loss(
    fake_reconstruction: Tensor,
    fake: Tensor,
    *,
    distance: Distance = "l2",
    shaping: Shaping = "identity",
    codes: Tensor | None = None,
    pulling_away_weight: float = 0.1,
    group: ProcessGroup | None = None,
) -> Tensor:
    """The loss of an EBGAN generator: mean f(E(fake)), plus the pulling-away term where codes are given.

    Nothing is detached: the gradient reaches the generator through the reconstruction D(G(z)) and, as the
    formula has it, through the target G(z) too. With codes this is the loss of EBGAN-PT, whose
    :func:`pulling_away` term belongs to the generator alone, never to the discriminator.

    Args:
        fake_reconstruction, fake: (N, ...), D(G(z)) and G(z).
        distance, shaping: as in :func:`discriminator_loss`, and equal to the discriminator's.
        codes: (N, ...), what D's encoder makes of G(z), one for each image of ``fake`` and on its device;
            None for EBGAN without the term.
        pulling_away_weight: the weight of the pulling-away term, 0 or more; 0.1 in the paper.
        group: the process group of the pulling-away term, as in :func:`pulling_away`. The energies need none,
            because DDP averages their mean.

    Returns:
        0-d, float32 (float64 for float64 input).

    Gradients: to both images and to codes, each in its own dtype.
    Errors: as in :func:`reconstruction_energy` and :func:`pulling_away`; ValueError for codes of another
    batch size, for a negative weight and for a group without codes.
    Memory: one buffer for each gradient of an image, from forward to backward, and the term's own memory.
    Source: arXiv:1609.03126, equations 2 and 4.

    Example:
        >>> import torch, ebgan_kernels
        >>> fake = torch.ones(8, 3, 4, 4)
        >>> round(ebgan_kernels.generator_loss(fake - 0.5, fake).item(), 3)
        3.464
        >>> round(ebgan_kernels.generator_loss(fake - 0.5, fake, codes=torch.ones(8, 16)).item(), 3)
        3.564
    """
    check_option("distance", distance, DISTANCES)
    check_option("shaping", shaping, SHAPINGS)
    check_pair("fake_reconstruction", fake_reconstruction, "fake", fake)
    if codes is None:
        if group is not None:
            raise ValueError("group is given without codes; it is for the pulling-away term: pass codes too")
        return _mean_energy(fake_reconstruction, fake, distance, shaping)
    pulling_away_weight = checked_weight("pulling_away_weight", pulling_away_weight)
    check_codes_of(fake, codes)
    # The term comes first, so that an error in codes or group is raised before the images are read.
    term = pulling_away(codes, group=group)
    energy = _mean_energy(fake_reconstruction, fake, distance, shaping)
    return torch.add(energy, term, alpha=pulling_away_weight)


def _mean_energy(fake_reconstruction: Tensor, fake: Tensor, distance: Distance, shaping: Shaping) -> Tensor:
    backend = select(fake)
    if backend == "reference":
        return reference.generator_loss(fake_reconstruction, fake, distance, shaping)
    needed = needed_gradients(fake_reconstruction, fake)
    call = Call(backend, needed, (DISTANCES[distance], SHAPINGS[shaping]))
    return GeneratorLossFunction.apply(call, fake_reconstruction, fake)
