"""The modules of the energy family, whose functions are in ``ebgan_kernels.ops.energy``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from ebgan_kernels.checks import check_option, checked_weight
from ebgan_kernels.checks.energy import margin_tensor
from ebgan_kernels.native.energy import DISTANCES, SHAPINGS
from ebgan_kernels.ops.energy import (
    DiscriminatorLoss,
    discriminator_loss,
    generator_loss,
    hinge_margin_loss,
    reconstruction_energy,
)
from ebgan_kernels.ops.module import Module
from ebgan_kernels.reference.energy import Distance, Shaping

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

Self = TypeVar("Self", bound="MarginModule")


class ReconstructionEnergy(Module):
    """:func:`reconstruction_energy` as a module: the energy of each sample.

    Args:
        distance: "l2", "squared_l2", "mse" or "l1".

    Example:
        >>> import torch, ebgan_kernels
        >>> ebgan_kernels.ReconstructionEnergy("l1")(torch.zeros(2, 3), torch.ones(2, 3)).tolist()
        [3.0, 3.0]
    """

    def __init__(self, distance: Distance = "l2") -> None:
        super().__init__()
        check_option("distance", distance, DISTANCES)
        self.distance: Distance = distance

    def forward(self, reconstruction: Tensor, target: Tensor) -> Tensor:
        """The energies (N,).

        Args:
            reconstruction: (N, ...), what the auto-encoder makes of the target.
            target: of the same shape, the images themselves.
        """
        return reconstruction_energy(reconstruction, target, distance=self.distance)

    def extra_repr(self) -> str:
        return f"distance={self.distance!r}"


class MarginModule(Module):
    """A loss with a margin in a 0-d buffer, which stays float32 in a module of any dtype.

    Conversion of the module moves the buffer between devices and leaves its dtype: bfloat16 would make 10.125
    of 10.1. A number that is assigned to ``margin`` is written into the buffer, so that compiled steps and
    CUDA graphs see it; a tensor takes the buffer's place, as in any module.

    Args:
        margin: a number of 0 or more, or a 0-d tensor of one, which is copied.
    """

    if TYPE_CHECKING:

        @property
        def margin(self) -> Tensor: ...
        @margin.setter
        def margin(self, margin: float | Tensor) -> None: ...

    def __init__(self, margin: float | Tensor) -> None:
        super().__init__()
        beside = margin if isinstance(margin, Tensor) else torch.empty(0, dtype=torch.float32)
        self.register_buffer("margin", margin_tensor(margin, beside).clone().float())

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "margin":
            super().__setattr__(name, value)
        elif isinstance(value, Tensor):
            super().__setattr__(name, value.float())
        else:
            self.margin.fill_(checked_weight("margin", value, "a float or a 0-d tensor"))

    def _apply(self: Self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        before = self.margin
        super()._apply(fn, recurse)
        if self.margin.dtype != before.dtype:
            self.margin = before.to(self.margin.device)
        return self

    def extra_repr(self) -> str:
        has_value = type(self.margin) is Tensor and not self.margin.is_meta
        return f"margin={self.margin.item():g}" if has_value else "margin=<no value>"


class HingeMarginLoss(MarginModule):
    """:func:`hinge_margin_loss` as a module: the discriminator's loss for given energies.

    ``loss.margin`` is a 0-d float32 buffer, which checkpoints keep and ``loss.half()`` leaves in float32.
    ``loss.margin = 7.0`` and ``loss.margin.fill_(7.0)`` write into it, and neither recompiles.

    Args:
        margin: m in units of the energy, 0 or more; a number, or a 0-d tensor of one, which is copied.
        shaping: "identity" or "square".

    Example:
        >>> import torch, ebgan_kernels
        >>> loss = ebgan_kernels.HingeMarginLoss(margin=10.0)
        >>> loss(torch.zeros(2), torch.tensor([0.0, 20.0])).item()
        5.0
    """

    def __init__(self, margin: float | Tensor, shaping: Shaping = "identity") -> None:
        check_option("shaping", shaping, SHAPINGS)
        super().__init__(margin)
        self.shaping: Shaping = shaping

    def forward(self, real_energy: Tensor, fake_energy: Tensor) -> Tensor:
        """The loss, 0-d.

        Args:
            real_energy: (N,), the energies of real images.
            fake_energy: (M,), those of generated images.
        """
        return hinge_margin_loss(real_energy, fake_energy, self.margin, shaping=self.shaping)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, shaping={self.shaping!r}"


class EBGANDiscriminatorLoss(MarginModule):
    """:func:`discriminator_loss` as a module: the discriminator's loss, from its two reconstructions.

    ``loss.margin`` is a 0-d float32 buffer, which checkpoints keep and ``loss.half()`` leaves in float32.
    ``loss.margin = 7.0`` and ``loss.margin.fill_(7.0)`` write into it, and neither recompiles.

    Args:
        margin: m in units of the energy, 0 or more; a number, or a 0-d tensor of one, which is copied.
        distance: "l2", "squared_l2", "mse" or "l1".
        shaping: "identity" or "square".

    Example:
        >>> import torch, ebgan_kernels
        >>> loss = ebgan_kernels.EBGANDiscriminatorLoss(margin=10.0)
        >>> loss.margin = 5.0
        >>> loss
        EBGANDiscriminatorLoss(margin=5, distance='l2', shaping='identity')
    """

    def __init__(
        self, margin: float | Tensor, distance: Distance = "l2", shaping: Shaping = "identity"
    ) -> None:
        check_option("distance", distance, DISTANCES)
        check_option("shaping", shaping, SHAPINGS)
        super().__init__(margin)
        self.distance: Distance = distance
        self.shaping: Shaping = shaping

    def forward(
        self, real_reconstruction: Tensor, real: Tensor, fake_reconstruction: Tensor, fake: Tensor
    ) -> DiscriminatorLoss:
        """The result ``(loss, real_energy, fake_energy)``, of which the energies are detached.

        Args:
            real_reconstruction: (N, ...), D(x).
            real: (N, ...), the real images x.
            fake_reconstruction: (M, ...), D(G(z)).
            fake: (M, ...), the generated images G(z), as a rule detached.
        """
        return discriminator_loss(
            real_reconstruction,
            real,
            fake_reconstruction,
            fake,
            margin=self.margin,
            distance=self.distance,
            shaping=self.shaping,
        )

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, distance={self.distance!r}, shaping={self.shaping!r}"


class EBGANGeneratorLoss(Module):
    """:func:`generator_loss` as a module; given codes it is the loss of EBGAN-PT.

    Args:
        distance: "l2", "squared_l2", "mse" or "l1"; the discriminator's.
        shaping: "identity" or "square"; the discriminator's.
        pulling_away_weight: the weight of the pulling-away term, 0 or more.
        group: a process group, for the pulling-away term of its global batch.

    Example:
        >>> import torch, ebgan_kernels
        >>> loss, fake = ebgan_kernels.EBGANGeneratorLoss(), torch.ones(8, 3, 4, 4)
        >>> round(loss(fake - 0.5, fake, codes=torch.ones(8, 16)).item(), 3)
        3.564
    """

    def __init__(
        self,
        distance: Distance = "l2",
        shaping: Shaping = "identity",
        pulling_away_weight: float = 0.1,
        group: ProcessGroup | None = None,
    ) -> None:
        super().__init__()
        check_option("distance", distance, DISTANCES)
        check_option("shaping", shaping, SHAPINGS)
        self.distance: Distance = distance
        self.shaping: Shaping = shaping
        self.pulling_away_weight = checked_weight("pulling_away_weight", pulling_away_weight)
        self.group = group

    def forward(self, fake_reconstruction: Tensor, fake: Tensor, codes: Tensor | None = None) -> Tensor:
        """The loss, 0-d.

        Args:
            fake_reconstruction: (N, ...), D(G(z)).
            fake: (N, ...), the generated images G(z).
            codes: (N, ...), what D's encoder makes of them, for EBGAN-PT; None leaves the term out.
        """
        return generator_loss(
            fake_reconstruction,
            fake,
            distance=self.distance,
            shaping=self.shaping,
            codes=codes,
            pulling_away_weight=self.pulling_away_weight,
            group=self.group,
        )

    def extra_repr(self) -> str:
        return (
            f"distance={self.distance!r}, shaping={self.shaping!r},"
            f" pulling_away_weight={self.pulling_away_weight:g}"
        )
