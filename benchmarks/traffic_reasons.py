"""The reasons why operators move more than they must; the page shows a finding without one as open."""

from __future__ import annotations

from typing import Literal

Finding = Literal["memory", "blocks", "sectors", "passes"]

# A figure of the page above its limit is a finding.
LIMITS: dict[Finding, float] = {"memory": 1.05, "blocks": 1.05, "sectors": 1.3, "passes": 1.0}
TITLES: dict[Finding, str] = {
    "memory": "memory / minimum",
    "blocks": "blocks / minimum",
    "sectors": "sectors / fewest",
    "passes": "passes / fewest",
}

_STRIP = (
    "a strip of slices begins and ends beside others and reads one slice of each; a volume's rows have"
    " neighbours in other blocks, too. These slices are in L2."
)
_NEIGHBOURS = (
    "a thread has four columns and reads the one on either side alone: lanes 16 bytes apart, in sectors that"
    " the warp's vectors have brought to L1. Memory does not see it."
)
_PARAMETERS = (
    "every tile of rows reads the rows of parameters and statistics of its columns again; they are few and"
    " in L2."
)
_SUMS_OF_TILES = (
    "the sums over rows of each tile, 12 for a unit, pass from one kernel to the next; they are few enough"
    " for L2, and longer tiles would leave multiprocessors without one."
)

_ROWS_END = (
    "a warp averages the end of one row of a tile and the beginning of the next, which may lie in the same"
    " banks; pairs are read at once since 2026-11-28, before which it was 2.1 to 2.6."
)

# By the operator's name up to a comma.
REASONS: dict[tuple[str, Finding], str] = {
    ("generator_loss", "memory"): (
        "only with an incoming gradient other than 1: the stored gradients are read and written once more,"
        " which the usual step is spared."
    ),
    ("generator_loss", "blocks"): "as memory / minimum.",
    ("hinge_margin_loss", "memory"): (
        "64 energies: whole sectors for a few bytes, and gradients that the forward writes in any case."
    ),
    ("hinge_margin_loss", "blocks"): "as memory / minimum.",
    ("gradient_difference_loss", "blocks"): _STRIP,
    ("prediction_loss", "blocks"): _STRIP,
    ("gradient_difference_loss", "sectors"): _NEIGHBOURS,
    ("prediction_loss", "sectors"): _NEIGHBOURS,
    ("multiscale_prediction_loss", "blocks"): (
        "a tile of 64 x 64 of the target is read with a margin of 8 on each side, 1.56 times its bytes inside"
        " a large image; the margins are in L2."
    ),
    ("multiscale_prediction_loss", "passes"): _ROWS_END,
    ("average_pyramid", "passes"): _ROWS_END,
    ("average_pyramid", "blocks"): (
        "backward, a block covers few rows of the image, and the coarse gradients that several rows share are"
        " fetched by each of their blocks, from L2."
    ),
    ("pulling_away", "sectors"): (
        "the diagonal of the Gram matrix, whose values are a row and one apart; there is one for each sample."
    ),
    ("reconstruction_energy", "sectors"): (
        "beside bfloat16, float32 takes two loads whose lanes lie 32 bytes apart; the second finds its"
        " sectors in L1. Vectors of half the length spilled registers on sm_90."
    ),
    ("gaussian_combinator", "memory"): _SUMS_OF_TILES,
    ("ladder_denoising_cost", "memory"): _SUMS_OF_TILES,
    ("gaussian_combinator", "blocks"): _PARAMETERS,
    ("ladder_denoising_cost", "blocks"): _PARAMETERS,
    ("valid_conv2d", "memory"): (
        "tensors repacked for the tensor cores, and sums in float32 that were cut into parts, are written and"
        " read once more; the minimum counts neither."
    ),
    ("valid_conv2d", "blocks"): "as memory / minimum, and windows of neighbouring blocks overlap.",
    ("valid_conv2d", "sectors"): (
        "flipped weights and partial sums of neighbouring lanes lie a row apart; they come from L1 and L2."
    ),
    ("valid_conv2d", "passes"): (
        "windows and steps are looked up for every 16 terms, two lanes to a bank; the loop of products has no"
        " conflict."
    ),
}


def reason_of(operator: str, finding: Finding) -> str | None:
    return REASONS.get((operator.partition(",")[0], finding))
