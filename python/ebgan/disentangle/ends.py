"""The linear layers between maps and codes, the same in all encoders and decoders."""

from __future__ import annotations

from torch import Tensor, nn

from ebgan.disentangle.interface import Codes
from ebgan_kernels.ops.module import Module


class CodeLayers(Module):
    """Two linear layers, of the style's two vectors and of the identity.

    Args:
        features: the length of the input.
        style_size: the length of z.
        identity_size: the length of the identity's code s.
    """

    def __init__(self, features: int, style_size: int, identity_size: int) -> None:
        super().__init__()
        self.style = nn.Linear(features, 2 * style_size)
        self.identity = nn.Linear(features, identity_size)

    def forward(self, features: Tensor) -> Codes:
        """The codes, in float32.

        Args:
            features: (N, `features`).
        """
        mean, log_std = self.style(features).float().chunk(2, 1)
        return Codes(mean, log_std, self.identity(features).float())


class FirstMaps(Module):
    """A linear layer of the style and one of the identity, summed, as the innermost maps of a decoder.

    Args:
        style_size: the length of z.
        identity_size: the length of the identity's code s.
        maps: the number of maps.
        inner: their side.
    """

    def __init__(self, style_size: int, identity_size: int, maps: int, inner: int) -> None:
        super().__init__()
        self.style = nn.Linear(style_size, maps * inner**2)
        self.identity = nn.Linear(identity_size, maps * inner**2)
        self.after = nn.Sequential(nn.Unflatten(1, (maps, inner, inner)), nn.BatchNorm2d(maps), nn.ReLU())

    def forward(self, style: Tensor, identity: Tensor) -> Tensor:
        """The maps (N, `maps`, `inner`, `inner`).

        Args:
            style: z (N, `style_size`).
            identity: s (N, `identity_size`).
        """
        maps: Tensor = self.after(self.style(style) + self.identity(identity))
        return maps
