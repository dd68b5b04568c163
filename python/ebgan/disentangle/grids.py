"""Pictures of what encoder and decoder make of images: swaps, interpolations, samples, poses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from ebgan.disentangle.interface import Codes, Decoder, Encoder
from ebgan.pictures import Span, image_grid
from ebgan.pictures.grid import BACKGROUND

CORNERS = 10  # steps from one corner of the interpolation to the other


@contextmanager
def evaluating(*nets: torch.nn.Module) -> Iterator[None]:
    """Within the block batch normalisation uses its running statistics, and nothing takes a gradient."""
    training = [net.training for net in nets]
    for net in nets:
        net.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for net, before in zip(nets, training, strict=True):
            net.train(before)


def swapped(encoder: Encoder, decoder: Decoder, styles: Tensor, identities: Tensor) -> Tensor:
    """Every style (R, C, H, W) with every identity (N, C, H, W), by the means of z: (R, N, C, H, W)."""
    device = next(encoder.parameters()).device
    with evaluating(encoder, decoder):
        style = encoder(styles.to(device)).mean
        identity = encoder(identities.to(device)).identity
        return _decoded(decoder, style[:, None], identity[None])


def swap_grid(encoder: Encoder, decoder: Decoder, styles: Tensor, identities: Tensor) -> np.ndarray:
    """Swaps with the identity of the image above and the style of the image on the left."""
    rows = torch.cat([styles[:, None].cpu(), swapped(encoder, decoder, styles, identities).cpu()], 1)
    top = torch.cat([blank(identities)[None], identities.cpu()])[None]
    spans = (Span("style", 1), Span("identity above, style on the left", len(identities)))
    return image_grid(torch.cat([top, rows]).flatten(0, 1), columns=rows.shape[1], spans=spans)


def interpolation_grid(encoder: Encoder, decoder: Decoder, corners: Tensor) -> np.ndarray:
    """From the first image (top left) to the second (bottom right), style and identity one by one."""
    device = next(encoder.parameters()).device
    with evaluating(encoder, decoder):
        codes: Codes = encoder(corners.to(device))
        share = torch.linspace(0, 1, CORNERS, device=device)[:, None]
        style, identity = (each[:1].lerp(each[1:], share) for each in (codes.mean, codes.identity))
        images = _decoded(decoder, style[:, None], identity[None])
    between = Span("style downwards, identity to the right", CORNERS)
    ends = torch.stack([blank(corners)] * CORNERS)
    ends[0], ends[-1] = corners.cpu()
    rows = torch.cat([ends[:, None], images.cpu()], 1)
    return image_grid(rows.flatten(0, 1), columns=CORNERS + 1, spans=(Span("corners", 1), between))


def sample_grid(
    encoder: Encoder, decoder: Decoder, identities: Tensor, *, rows: int, seed: int
) -> np.ndarray:
    """Images of the identities above, each row of a z drawn from N(0, I)."""
    device = next(encoder.parameters()).device
    with evaluating(encoder, decoder):
        codes: Codes = encoder(identities.to(device))
        noise = torch.randn(rows, codes.mean.shape[1], generator=torch.Generator().manual_seed(seed))
        images = _decoded(decoder, noise[:, None].to(device), codes.identity[None])
    shown = torch.cat([identities.cpu()[None], images.cpu()])
    names = ("given", *("drawn" for _ in range(rows)))
    return image_grid(shown.flatten(0, 1), columns=len(identities), row_names=names)


def pose_grid(
    encoder: Encoder,
    decoder: Decoder,
    poses: Tensor,
    identities: Tensor,
    true: Sequence[Sequence[Tensor | None]],
    *,
    named: str,
) -> np.ndarray:
    """The `poses` (P, C, H, W) of one identity given to others, each with the `true` images below.

    `true` has P images for every identity, None where there is none. `named` is the factor that differs.
    """
    images = swapped(encoder, decoder, poses, identities).cpu()
    nothing = blank(poses)
    rows = [torch.stack([nothing, *poses.cpu()])]
    for place, identity in enumerate(identities.cpu()):
        rows.append(torch.cat([identity[None], images[:, place]]))
        rows.append(
            torch.stack([nothing, *(nothing if each is None else each.cpu() for each in true[place])])
        )
    names = ("style of", *(("given to", "true") * len(identities)))
    spans = (Span("identity", 1), Span(f"each {named} of another identity", len(poses)))
    return image_grid(torch.cat(rows), columns=len(poses) + 1, row_names=names, spans=spans)


def blank(like: Tensor) -> Tensor:
    """An image (C, H, W) that cannot be seen in a grid."""
    return torch.full(like.shape[1:], BACKGROUND[0] / 127.5 - 1)


def _decoded(decoder: Decoder, style: Tensor, identity: Tensor) -> Tensor:
    """The images of styles (R, 1, Z) and identities (1, N, S): (R, N, C, H, W)."""
    rows, columns = len(style), identity.shape[1]
    pairs = (each.expand(rows, columns, -1).flatten(0, 1) for each in (style, identity))
    return decoder(*pairs).float().unflatten(0, (rows, columns))
